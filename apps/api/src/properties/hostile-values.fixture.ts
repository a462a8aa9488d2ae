/** Texts that have hurt programs before, each kind by a few of its kind. */
export const HOSTILE_TEXTS: readonly string[] = [
  // SQL
  `'`,
  `' OR '1'='1' --`,
  `1; DROP TABLE users; --`,
  `\\'; SELECT pg_sleep(10); --`,
  `%' AND 1=(SELECT 1)::int --`,
  // query operators of document stores, and prototypes
  `{"$gt":""}`,
  '__proto__',
  'constructor.prototype',
  // templates and expansions
  '{{7*7}}${7*7}<%= 7*7 %>#{7*7}',
  '${jndi:ldap://127.0.0.1/a}',
  '<script>alert(1)</script>',
  // paths
  '../../../../etc/passwd',
  '..\\..\\windows\\win.ini',
  'file:///etc/passwd',
  // numbers
  '99999999999999999999999999',
  '-1',
  '1e400',
  'NaN',
  '0x1F',
  // characters
  '\u0000',
  '\ud800',
  '\u202e\u200b\ufeffZ\u0335\u0334a\u0336\u0337l',
  '👩‍👩‍👧‍👦'.repeat(20),
  'İıſK',
  '\r\nSet-Cookie: a=b',
  '%E0%A4%A%',
  'x'.repeat(10_000),
];

/** `{"a":{"a":…}}`, so many deep. */
function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < depth; level += 1) value = { a: value };
  return value;
}

/** Values that a field may be given in JSON. */
export const HOSTILE_VALUES: readonly unknown[] = [
  ...HOSTILE_TEXTS,
  { $gt: '' },
  { $ne: null },
  [{ $where: 'sleep(1000)' }],
  JSON.parse('{"__proto__":{"admin":true}}'),
  { constructor: { prototype: { admin: true } } },
  { toString: 'x', valueOf: 1 },
  nested(500),
  Array.from({ length: 2_000 }, (_, index) => index),
  Number.MAX_SAFE_INTEGER + 2,
  -Number.MAX_VALUE,
  2 ** 31,
  1e-320,
  null,
  true,
  [],
  {},
];

/** One value of each kind, for fields within fields. */
export const HOSTILE_KINDS: readonly unknown[] = [
  `' OR '1'='1' --`,
  { $gt: '' },
  JSON.parse('{"__proto__":{"admin":true}}'),
  '{{7*7}}${7*7}<%= 7*7 %>#{7*7}',
  '../../../../etc/passwd',
  '\ud800',
  'x'.repeat(10_000),
  -Number.MAX_VALUE,
  nested(500),
  null,
  [],
];

/** Bodies that are no value of any schema: sent as they stand. */
export const HOSTILE_BODIES: readonly string[] = [
  '',
  'null',
  '[]',
  '"text"',
  '{',
  '{"a":1,}',
  '{"__proto__":{"role":"admin"},"constructor":{"prototype":{"role":"admin"}}}',
  '[{"$gt":""}]',
  '1e999',
  `${'['.repeat(50_000)}${']'.repeat(50_000)}`,
  `{"a":"\\ud800"}`,
  `{"a":"\\u0000"}`,
  `\ufeff{}`,
];
