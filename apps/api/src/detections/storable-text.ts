/** What Postgres cannot keep in text or jsonb: halves of surrogate pairs; NUL is looked for beside them. */
const LONE_SURROGATE = /\p{Cs}/gu;

/** How JSON writes such characters, and some harmless ones. */
const ESCAPED = /\\u(?:0000|d[89a-f])/i;

/**
 * Whether a value may hold what Postgres cannot keep, by its JSON. Looking at the text costs a tenth of looking at each
 * string of the value.
 */
export function isSuspect(json: string): boolean {
  return ESCAPED.test(json);
}

/**
 * A copy in which no text has a NUL or half of a surrogate pair; U+FFFD takes the place of each, so that offsets into
 * a text stay true. Whoever writes such a character into a chat must not get what was found put aside.
 */
export function storable<T>(value: T): T {
  return clean(value) as T;
}

function clean(value: unknown): unknown {
  if (typeof value === 'string') return value.replaceAll('\0', '\uFFFD').replace(LONE_SURROGATE, '\uFFFD');
  if (Array.isArray(value)) return value.map(clean);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, clean(inner)]));
}
