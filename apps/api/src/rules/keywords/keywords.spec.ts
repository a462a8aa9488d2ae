import { randomUUID } from 'node:crypto';
import { RuleBoard } from '#libs/bus/rule-board.js';
import { KeywordTester } from './keyword-tester.js';
import { TestApi } from '../../test-api.fixture.js';

describe('keywords', () => {
  let api: TestApi;
  let admin: string;
  let agent: string;

  beforeAll(async () => {
    api = await TestApi.start({}, 11);
    admin = await api.token(await api.user('chief', 'admin'));
    agent = await api.token(await api.user('watcher', 'agent'));
  }, 60_000);

  afterAll(() => api.close());

  type Answer = Awaited<ReturnType<TestApi['call']>>;
  const create = (body: unknown): Promise<Answer> => api.call('POST', '/api/keywords', admin, body);
  const test = (body: unknown, token = admin): Promise<Answer> => api.call('POST', '/api/keywords/test', token, body);
  const board = () => api.app.get(RuleBoard, { strict: false }).get();
  const items = ({ body }: Answer): Record<string, unknown>[] => body['items'] as Record<string, unknown>[];
  const hits = ({ body }: Answer): Record<string, unknown>[] => body['hits'] as Record<string, unknown>[];
  const misses = ({ body }: Answer): Record<string, unknown>[] => body['misses'] as Record<string, unknown>[];

  it('are made with sensible defaults, changed, and gone, and the board has each change at once', async () => {
    const made = await create({ pattern: ' lottery win ' });
    expect(made).toMatchObject({
      status: 201,
      body: { label: 'lottery win', pattern: 'lottery win', kind: 'literal', appliesTo: 'both', version: 1 },
    });
    const path = `/api/keywords/${String(made.body['id'])}`;
    const before = await board();
    expect(before?.keywords).toMatchObject([{ pattern: 'lottery win', version: 1, language: null }]);
    const changed = await api.call('PATCH', path, admin, { label: 'Lottery', allow: ['lottery winter'] });
    expect(changed).toMatchObject({ status: 200, body: { label: 'Lottery', version: 2, pattern: 'lottery win' } });
    const after = await board();
    expect(after?.keywords).toMatchObject([{ label: 'Lottery', version: 2, allow: ['lottery winter'] }]);
    expect(after?.version).toBe((before?.version ?? 0) + 1);
    await api.call('PATCH', path, admin, { enabled: false });
    expect((await board())?.keywords).toEqual([]);
    expect((await api.call('DELETE', path, admin)).status).toBe(204);
    expect((await api.call('GET', path, agent)).status).toBe(404);
    expect((await api.call('DELETE', path, admin)).status).toBe(404);
  });

  it('are listed page by page, and found by place, severity, state and part of their text', async () => {
    const mark = randomUUID().slice(0, 8);
    for (const [label, extra] of [
      ['a', { appliesTo: 'chat', severity: 'high' }],
      ['b', { appliesTo: 'speech', enabled: false }],
      ['c', {}],
    ] as const)
      expect((await create({ label: `${mark} ${label}`, pattern: `${label}%${mark}`, ...extra })).status).toBe(201);
    const labels = async (query: string): Promise<unknown[]> =>
      items(await api.call('GET', `/api/keywords?q=${mark}&${query}`, agent)).map(({ label }) => label);
    expect(await labels('')).toEqual([`${mark} a`, `${mark} b`, `${mark} c`]);
    expect(await labels('appliesTo=chat')).toEqual([`${mark} a`]);
    expect(await labels('severity=high')).toEqual([`${mark} a`]);
    expect(await labels('enabled=false')).toEqual([`${mark} b`]);
    const byPattern = await api.call('GET', `/api/keywords?q=${encodeURIComponent(`B%${mark}`)}`, agent);
    expect(items(byPattern).map(({ pattern }) => pattern)).toEqual([`b%${mark}`]);
    const first = await api.call('GET', `/api/keywords?q=${mark}&limit=2`, agent);
    const rest = await api.call(
      'GET',
      `/api/keywords?q=${mark}&limit=2&cursor=${String(first.body['nextCursor'])}`,
      agent,
    );
    expect(items(rest).map(({ label }) => label)).toEqual([`${mark} c`]);
    expect(rest.body['nextCursor']).toBeNull();
  });

  it('of the same pattern, place and language are refused, also by a change', async () => {
    const made = await create({ pattern: 'once' });
    expect(made.status).toBe(201);
    expect(await create({ pattern: 'once' })).toMatchObject({
      status: 409,
      body: { code: 'keyword.pattern.conflict' },
    });
    const other = await create({ pattern: 'once', appliesTo: 'chat' });
    expect(other.status).toBe(201);
    const path = `/api/keywords/${String(other.body['id'])}`;
    expect((await api.call('PATCH', path, admin, { appliesTo: 'both' })).status).toBe(409);
    expect((await api.call('PATCH', path, admin, { severity: 'low' })).status).toBe(200);
  });

  it.each([
    ['look-behind', { pattern: '(?<=a)b', kind: 'regex' }, 'phrase.refused'],
    ['a back-reference', { pattern: '(a)\\1', kind: 'regex' }, 'phrase.refused'],
    ['an expression that matches nothing at all', { pattern: 'a*', kind: 'regex' }, 'phrase.refused'],
    ['counts that multiply', { pattern: '((a{100}){100}){100}', kind: 'regex' }, 'phrase.refused'],
    ['a star inside', { pattern: 'a*b' }, 'phrase.refused'],
    ['stars alone', { pattern: '***' }, 'phrase.refused'],
    ['white space alone', { pattern: '   ' }, 'phrase.refused'],
    ['a literal that is too long', { pattern: 'a'.repeat(201) }, 'phrase.refused'],
    ['an allowed phrase with a star inside', { pattern: 'a', allow: ['a*a'] }, 'phrase.refused'],
    ['a pattern of 100 kB', { pattern: 'a'.repeat(100_000) }, 'request.invalid'],
    ['an expression of 100 kB', { pattern: '(a+)+'.repeat(20_000), kind: 'regex' }, 'request.invalid'],
    ['an allowed phrase of 100 kB', { pattern: 'a', allow: ['b'.repeat(100_000)] }, 'request.invalid'],
    ['a NUL character', { pattern: 'a\0b' }, 'request.invalid'],
    ['half a character', { pattern: 'a', label: '\ud800' }, 'request.invalid'],
    ['no pattern', { label: 'a' }, 'request.invalid'],
    ['an unknown field', { pattern: 'a', regex: true }, 'request.invalid'],
  ])('refuse %s with a sentence', async (_, body, code) => {
    const answer = await create(body);
    expect(answer).toMatchObject({ status: 400, body: { code, detail: expect.any(String) as string } });
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    const { body: made } = await create({ pattern: `fine ${randomUUID()}` });
    const changed = await api.call('PATCH', `/api/keywords/${String(made['id'])}`, admin, body);
    expect([400, 'label' in body && !('pattern' in body) ? 200 : 400]).toContain(changed.status);
  });

  it('are imported row by row under one version, and repeats make none', async () => {
    const rules = [
      { pattern: 'import one', severity: 'high' },
      { pattern: 'import two', allow: ['import two three'], language: 'en', appliesTo: 'speech' },
      { pattern: 'import one' },
      { pattern: '(', kind: 'regex' },
      { pattern: 7 },
      'no rule',
    ];
    const before = await board();
    const first = await api.call('POST', '/api/keywords/import', admin, { rules });
    expect(first).toMatchObject({ status: 200, body: { created: 2, duplicates: 1, refused: 3 } });
    const rows = first.body['rows'] as Record<string, unknown>[];
    expect(rows.map(({ index, result }) => [index, result])).toEqual([
      [0, 'created'],
      [1, 'created'],
      [2, 'duplicate'],
      [3, 'refused'],
      [4, 'refused'],
      [5, 'refused'],
    ]);
    expect(rows[2]?.['id']).toBe(rows[0]?.['id']);
    expect(String(rows[3]?.['why'])).toContain('regular expression');
    expect(String(rows[4]?.['why'])).toContain('pattern');
    const after = await board();
    expect(after?.version).toBe((before?.version ?? 0) + 1);
    expect(after?.keywords.find(({ pattern }) => pattern === 'import two')).toMatchObject({
      allow: ['import two three'],
      language: 'en',
      appliesTo: 'speech',
      fuzzy: false,
    });
    const again = await api.call('POST', '/api/keywords/import', admin, { rules: rules.slice(0, 2) });
    expect(again.body).toMatchObject({ created: 0, duplicates: 2, refused: 0 });
    expect((again.body['rows'] as Record<string, unknown>[])[0]?.['id']).toBe(rows[0]?.['id']);
    const tooMany = Array.from({ length: 5_001 }, () => ({ pattern: 'a' }));
    expect((await api.call('POST', '/api/keywords/import', admin, { rules: tooMany })).status).toBe(400);
  });

  it('are tried on a text: every hit names its rule, its place and how it was read', async () => {
    const made = await create({ pattern: 'free money', label: 'Bait', severity: 'high' });
    const answer = await test({ text: 'get your fr33 m0ney now' }, agent);
    expect(answer.status).toBe(200);
    expect(hits(answer)).toEqual([
      {
        ruleId: made.body['id'],
        draft: null,
        label: 'Bait',
        pattern: 'free money',
        start: 9,
        end: 19,
        matched: 'fr33 m0ney',
        view: 'leet',
        confidence: expect.any(Number) as number,
        why: 'read as leet: fr33 m0ney → free money',
      },
    ]);
    // What was changed counts from then on.
    await api.call('PATCH', `/api/keywords/${String(made.body['id'])}`, admin, { appliesTo: 'speech' });
    expect(hits(await test({ text: 'free money' }))).toEqual([]);
    expect(hits(await test({ text: 'FREE  money', speech: true }))).toMatchObject([
      { matched: 'FREE  money', view: 'plain' },
    ]);
    await api.call('PATCH', `/api/keywords/${String(made.body['id'])}`, admin, { language: 'de' });
    expect(hits(await test({ text: 'free money', speech: true, language: 'en' }))).toEqual([]);
    expect(hits(await test({ text: 'free money', speech: true, language: 'de' }))).toHaveLength(1);
  });

  it('are tried as drafts too, and a draft that does not hit says why', async () => {
    const rules = [
      { pattern: 'scam' },
      { pattern: '(?=x)', kind: 'regex' },
      { pattern: 'class', allow: ['first class'] },
      { pattern: 'hidden', appliesTo: 'speech' },
      { pattern: 'sic' },
      { pattern: 'nowhere' },
      { pattern: 'mus[a-z]c', kind: 'regex' },
      { pattern: 'off', enabled: false },
      { pattern: 'decade', fuzzy: true },
      { pattern: 'q{3}', kind: 'regex' },
    ];
    const answer = await test({ text: 'sc@m in first class music, hidden off decad', rules });
    expect(hits(answer).map(({ draft, view }) => [draft, view])).toEqual([
      [0, 'leet'],
      [6, 'plain'],
    ]);
    const why = new Map(misses(answer).map((miss) => [miss['draft'], String(miss['why'])]));
    expect(why.get(1)).toContain('no look-around');
    expect(why.get(2)).toBe('"class" stands inside the allowed phrase "first class".');
    expect(why.get(3)).toContain('speech only');
    expect(why.get(4)).toContain('inside a longer word');
    expect(why.get(5)).toContain('not in this text');
    expect(why.get(7)).toBe('It is turned off.');
    expect(why.get(8)).toContain('likeness is looked for in speech');
    expect(why.get(9)).toContain('matches nothing');
    const spoken = await test({
      text: 'sc@m',
      speech: true,
      rules: [{ pattern: 'scam' }, { pattern: 'x', appliesTo: 'chat' }],
    });
    expect(misses(spoken).map(({ why: reason }) => reason)).toEqual([
      expect.stringContaining('evasive spelling'),
      expect.stringContaining('chat only'),
    ]);
  });

  it('are tried by name, also when they are turned off; drafts are not for agents', async () => {
    const { body } = await create({ pattern: 'by name', enabled: false });
    const answer = await test({ text: 'by name', ruleIds: [body['id']] }, agent);
    expect(misses(answer)).toMatchObject([{ ruleId: body['id'], draft: null, why: 'It is turned off.' }]);
    expect((await test({ text: 'a', rules: [] }, agent)).status).toBe(403);
    expect((await test({ text: 'a', ruleIds: [randomUUID()] })).status).toBe(404);
    expect((await test({ text: 'a'.repeat(4_097) })).status).toBe(400);
    expect((await test({ text: 'a', rules: [{ pattern: 'b'.repeat(100_000) }] })).status).toBe(400);
  });

  it('can be tried by a few at once; the others are asked to come again', async () => {
    const tester = api.app.get(KeywordTester, { strict: false });
    const viewer = { id: randomUUID(), username: 'chief', role: 'admin' } as const;
    const tests = Array.from({ length: 9 }, () => tester.test(viewer, { text: 'a word', speech: false }));
    const outcomes = await Promise.allSettled(tests);
    expect(outcomes.map(({ status }) => status)).toEqual([...Array<string>(8).fill('fulfilled'), 'rejected']);
    expect(outcomes[8]).toMatchObject({ reason: { code: 'keyword_test.too_many', details: { retryAfterSeconds: 1 } } });
    expect((await test({ text: 'a word' })).status).toBe(200);
  });
});
