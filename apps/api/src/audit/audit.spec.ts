import { DataSource } from 'typeorm';
import { TEST_PASSWORD, TestApi } from '../test-api.fixture.js';
import { difference, redacted } from './redaction.js';

describe('the audit trail', () => {
  let api: TestApi;
  let admin: string;
  let adminId: string;

  beforeAll(async () => {
    api = await TestApi.start({}, 12);
    adminId = await api.user('chief', 'admin');
    admin = await api.token(adminId);
  }, 60_000);

  afterAll(() => api.close());

  const entries = async (query: string): Promise<Record<string, unknown>[]> =>
    (await api.call('GET', `/api/logs?${query}`, admin)).body['items'] as Record<string, unknown>[];

  it('says who did what to what, what it was before and what after, and in which request', async () => {
    const url = 'https://user:pw@example.com/live.m3u8?token=geheim';
    const made = await api.call('POST', '/api/streams', admin, { name: 'gate', url });
    const id = String(made.body['id']);
    const changed = await api.call('PATCH', `/api/streams/${id}`, admin, { priority: 1 });
    await api.call('DELETE', `/api/streams/${id}`, admin);
    const [deleted, updated, created] = await entries(`targetType=stream&targetId=${id}`);
    expect(created).toMatchObject({ action: 'stream.created', actorId: adminId, actorName: 'chief', before: null });
    expect(updated).toMatchObject({
      ...{ action: 'stream.updated', targetName: 'gate', before: { priority: 5 }, after: { priority: 1 } },
      ...{ requestId: changed.headers.get('x-request-id') },
    });
    expect(deleted).toMatchObject({ action: 'stream.deleted', after: null });
    expect(JSON.stringify([deleted, updated, created])).not.toMatch(/geheim|pw@/);
  });

  it('is filtered by who, what and when, and paged by cursor', async () => {
    for (const label of ['a', 'b', 'c']) await api.call('POST', '/api/agents', admin, agent(label));
    const made = await entries(`action=agent.created&actorId=${adminId}`);
    expect(made.map(({ targetName }) => targetName)).toEqual(['agent-c', 'agent-b', 'agent-a']);
    expect(JSON.stringify(made)).not.toContain(TEST_PASSWORD);
    const first = await api.call('GET', '/api/logs?action=agent.created&limit=2', admin);
    const cursor = encodeURIComponent(String(first.body['nextCursor']));
    const rest = await entries(`action=agent.created&limit=2&cursor=${cursor}`);
    expect(rest.map(({ targetName }) => targetName)).toEqual(['agent-a']);
    expect(await entries('action=agent.created&to=2020-01-01T00:00:00Z')).toEqual([]);
  });

  it.each(['UPDATE audit_entries SET actor_name = $$x$$', 'DELETE FROM audit_entries', 'TRUNCATE audit_entries'])(
    'cannot be changed, by the database itself: %s',
    async (statement) => {
      await expect(api.app.get(DataSource).query(statement)).rejects.toThrow('append-only');
    },
  );

  const agent = (label: string): object => ({
    ...{ username: `agent-${label}`, email: `${label}@example.com`, password: TEST_PASSWORD },
  });
});

describe('what reaches the trail', () => {
  it('has no secrets, whatever they are called and however deep they lie', () => {
    const kept = redacted({
      passwordHash: 'x',
      deep: [{ apiKey: 'y', accessToken: 'z', name: 'n' }],
      options: { a: 1 },
    });
    expect(kept).toEqual({
      ...{ passwordHash: '[redacted]', options: '[redacted]' },
      deep: [{ apiKey: '[redacted]', accessToken: '[redacted]', name: 'n' }],
    });
  });

  it('is bounded in size and depth, and ends with cycles', () => {
    const cycle: Record<string, unknown> = { text: 'x'.repeat(100_000), many: Array.from({ length: 10_000 }, () => 1) };
    cycle['self'] = cycle;
    expect(JSON.stringify(redacted(cycle)).length).toBeLessThan(40_000);
  });

  it('is only what differs', () => {
    expect(difference({ a: 1, b: { c: 2 } }, { a: 1, b: { c: 3 }, d: 4 })).toEqual({
      ...{ before: { b: { c: 2 }, d: null }, after: { b: { c: 3 }, d: 4 } },
    });
  });
});
