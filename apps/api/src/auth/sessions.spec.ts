import { TransactionRunner } from '../database/transaction.js';
import { TEST_PASSWORD, TestApi } from '../test-api.fixture.js';

interface Listed {
  id: string;
  current: boolean;
  userAgent: string;
}

describe('the sign-ins of a user', () => {
  let api: TestApi;
  let other: TestApi;

  beforeAll(async () => {
    api = await TestApi.start({}, 10);
    other = await api.beside();
  }, 60_000);

  afterAll(async () => {
    await other.close();
    await api.close();
  });

  async function signIn(username: string, userAgent = 'test'): Promise<{ access: string; refresh: string }> {
    const response = await fetch(`${api.url}/api/auth/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'user-agent': userAgent },
      body: JSON.stringify({ username, password: TEST_PASSWORD }),
    });
    const body = (await response.json()) as Record<string, unknown>;
    return { access: String(body['accessToken']), refresh: String(body['refreshToken']) };
  }

  const list = async (token: string): Promise<Listed[]> =>
    (await api.call('GET', '/api/auth/sessions', token)).body['items'] as Listed[];
  const refresh = (refreshToken: unknown, at = api): ReturnType<TestApi['call']> =>
    at.call('POST', '/api/auth/token-verify', null, { refreshToken });

  it('are listed to it alone, newest first, with what they came from', async () => {
    await api.user('alice', 'agent');
    await api.user('bob', 'agent');
    await signIn('bob');
    const first = await signIn('alice', 'Phone');
    const second = await signIn('alice', `Desktop ${'x'.repeat(1_000)}`);
    const items = await list(second.access);
    expect(items.map(({ current }) => current)).toEqual([true, false]);
    expect(items[1]).toMatchObject({ userAgent: 'Phone', address: '127.0.0.1' });
    expect(items[0]?.userAgent).toHaveLength(300);
    await api.call('POST', '/api/auth/logout', first.access);
    expect(await list(second.access)).toHaveLength(1);
  });

  it('cannot be ended by another user, an admin included', async () => {
    await api.user('carol', 'agent');
    const hers = await signIn('carol');
    const [item] = await list(hers.access);
    const path = `/api/auth/sessions/${String(item?.id)}`;
    const admin = await signIn('admin');
    expect((await api.call('DELETE', path, admin.access)).status).toBe(404);
    expect((await api.call('DELETE', path, hers.access)).status).toBe(204);
    expect((await api.call('GET', '/api/auth/session', hers.access)).status).toBe(401);
  });

  it('are twenty at most: the oldest gives way', async () => {
    await api.user('dave', 'agent');
    const oldest = await signIn('dave');
    let newest = oldest;
    for (let n = 0; n < 20; n += 1) newest = await signIn('dave');
    expect(await list(newest.access)).toHaveLength(20);
    expect((await api.call('GET', '/api/auth/session', oldest.access)).status).toBe(401);
  }, 30_000);

  it('survive two refreshes at the same moment on two processes, as one family that a replay still ends', async () => {
    await api.user('erin', 'agent');
    const first = await signIn('erin');
    const answers = await Promise.all([refresh(first.refresh, api), refresh(first.refresh, other)]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    const live = await api.app
      .get(TransactionRunner, { strict: false })
      .run((tx) =>
        tx.query<unknown[]>(
          `SELECT 1 FROM auth_sessions s JOIN users u ON u.id = s.user_id WHERE u.username = 'erin' AND s.revoked_at IS NULL`,
        ),
      );
    expect(live).toHaveLength(1);
    // Both tabs go on, each with its own token.
    const next = await Promise.all(answers.map(({ body }) => refresh(body['refreshToken'])));
    expect(next.map(({ status }) => status)).toEqual([200, 200]);
    // The first token comes again, within the grace, but its descendants were used: it was stolen.
    expect((await refresh(first.refresh, other)).status).toBe(401);
    for (const { body } of [...answers, ...next]) {
      expect((await refresh(body['refreshToken'])).status).toBe(401);
      expect((await api.call('GET', '/api/auth/session', String(body['accessToken']))).status).toBe(401);
    }
  });

  it('cannot be multiplied: a token that comes more than a few times at once is taken for stolen', async () => {
    await api.user('frank', 'agent');
    const first = await signIn('frank');
    const answers = await Promise.all(Array.from({ length: 8 }, () => refresh(first.refresh)));
    expect(answers.filter(({ status }) => status === 200).length).toBeLessThanOrEqual(4);
    expect((await api.call('GET', '/api/auth/session', first.access)).status).toBe(401);
  });
});
