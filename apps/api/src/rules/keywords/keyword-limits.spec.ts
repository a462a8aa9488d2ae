import { RuleBoard } from '#libs/bus/rule-board.js';
import { PHRASE_LIMITS } from '#libs/phrases/phrase-rule.js';
import { TestApi } from '../../test-api.fixture.js';
import type { ImportKeywordsResult } from './keywords.dto.js';

describe('keywords without end', () => {
  let api: TestApi;
  let admin: string;

  beforeAll(async () => {
    api = await TestApi.start({}, 11);
    admin = await api.token(await api.user('chief', 'admin'));
  }, 60_000);

  afterAll(() => api.close());

  type Answer = Awaited<ReturnType<TestApi['call']>>;
  const create = (body: unknown): Promise<Answer> => api.call('POST', '/api/keywords', admin, body);
  const rowsOf = ({ body }: Answer): ImportKeywordsResult['rows'] => body['rows'] as ImportKeywordsResult['rows'];
  const board = () => api.app.get(RuleBoard, { strict: false }).get();

  it('keep within the limits of one set, and say which limit it is and what helps', async () => {
    const large = Array.from({ length: 20 }, (_, index) => ({ pattern: `[a-z]{1,150}x${index}`, kind: 'regex' }));
    const sized = await api.call('POST', '/api/keywords/import', admin, { rules: large });
    const reasons = rowsOf(sized).flatMap(({ why }) => (why === null ? [] : [why]));
    expect(reasons.length).toBeGreaterThan(0);
    expect(reasons.every((why) => why.includes(`${String(PHRASE_LIMITS.regexProgramTotal)} instructions`))).toBe(true);
    for (const { id } of sized.body['rows'] as { id: string | null }[])
      if (id !== null) await api.call('DELETE', `/api/keywords/${id}`, admin);

    const regexes = Array.from({ length: 201 }, (_, index) => ({ pattern: `limit${index}\\d`, kind: 'regex' }));
    const { body } = await api.call('POST', '/api/keywords/import', admin, { rules: regexes });
    expect(body).toMatchObject({ created: 200, refused: 1 });
    const rows = body['rows'] as Record<string, unknown>[];
    expect(rows[200]).toMatchObject({ result: 'refused', why: expect.stringContaining('200') as string });
    const more = { pattern: 'one more\\d', kind: 'regex' };
    const refused = await create(more);
    expect(refused).toMatchObject({ status: 409, body: { code: 'keyword.limit.conflict' } });
    expect(refused.body['detail']).toContain('turn one off');
    // What is turned off takes no room, and cannot be turned on where there is none.
    const spare = await create({ ...more, enabled: false });
    expect(spare.status).toBe(201);
    const path = `/api/keywords/${String(spare.body['id'])}`;
    expect((await api.call('PATCH', path, admin, { enabled: true })).status).toBe(409);
    await api.call('PATCH', `/api/keywords/${String(rows[0]?.['id'])}`, admin, { enabled: false });
    expect((await api.call('PATCH', path, admin, { enabled: true })).status).toBe(200);

    const alike = Array.from({ length: 2_001 }, (_, index) => ({
      pattern: `alike${index}`,
      fuzzy: index % 2 === 0,
      phonetic: true,
    }));
    const likened = await api.call('POST', '/api/keywords/import', admin, { rules: alike });
    expect(likened.body).toMatchObject({ created: 2_000, refused: 1 });
    expect((likened.body['rows'] as Record<string, unknown>[])[2_000]?.['why']).toContain('2000');
    expect((await board())?.keywords.length).toBeGreaterThan(2_000);
  }, 60_000);
});
