import { randomUUID } from 'node:crypto';
import { TransactionRunner } from '../../database/transaction.js';
import { TEST_PASSWORD, TestApi } from '../../test-api.fixture.js';

const person = (username: string, more: object = {}): object => ({
  username,
  email: `${username}@example.com`,
  password: TEST_PASSWORD,
  ...more,
});

describe('registering by invitation', () => {
  let api: TestApi;
  let admin: string;

  beforeAll(async () => {
    api = await TestApi.start({}, 10);
    admin = String((await api.login('admin')).body['accessToken']);
  }, 60_000);

  afterAll(() => api.close());

  const register = (body: object): ReturnType<TestApi['call']> => api.call('POST', '/api/auth/register', null, body);
  const invite = async (body: object = {}): Promise<{ id: string; code: string }> => {
    const answer = await api.call('POST', '/api/auth/invitations', admin, body);
    expect(answer.status).toBe(201);
    return { id: String(answer.body['id']), code: String(answer.body['code']) };
  };
  const sql = (text: string, values: unknown[] = []): Promise<Record<string, unknown>[]> =>
    api.app.get(TransactionRunner, { strict: false }).run((tx) => tx.query(text, values));

  it('makes an agent, whatever role is asked for, and uses the invitation up', async () => {
    const { id, code } = await invite();
    expect((await register(person('greedy', { invitation: code, role: 'admin' }))).status).toBe(400);
    const made = await register(person('alice', { invitation: code }));
    expect(made).toMatchObject({ status: 201, body: { username: 'alice', role: 'agent', mustChangePassword: false } });
    expect((await api.login('alice')).status).toBe(200);
    expect((await register(person('bob', { invitation: code }))).body['code']).toBe('auth.invitation.forbidden');
    const list = await api.call('GET', '/api/auth/invitations?limit=200', admin);
    const items = list.body['items'] as Record<string, unknown>[];
    expect(items.find((item) => item['id'] === id)).toMatchObject({ usedBy: made.body['id'] });
    // What is used stays in the list: it says who let whom in.
    expect((await api.call('DELETE', `/api/auth/invitations/${id}`, admin)).status).toBe(404);
  });

  it('makes one agent when an invitation comes twice at the same moment', async () => {
    const { code } = await invite();
    const answers = await Promise.all(
      ['one', 'two', 'three'].map((name) => register(person(name, { invitation: code }))),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 403, 403]);
  });

  it('leaves the invitation good when the name is taken', async () => {
    const { code } = await invite();
    await api.user('taken', 'agent');
    const refused = await register(person('TAKEN', { invitation: code, email: 'free@example.com' }));
    expect(refused.body['code']).toBe('user.username.conflict');
    expect((await register(person('not-taken', { invitation: code }))).status).toBe(201);
  });

  it('takes no invitation that is missing, unknown, expired, withdrawn or for another address', async () => {
    const expired = await invite();
    await sql(`UPDATE invitations SET expires_at = now() - interval '1 second' WHERE id = $1`, [expired.id]);
    const withdrawn = await invite();
    expect((await api.call('DELETE', `/api/auth/invitations/${withdrawn.id}`, admin)).status).toBe(204);
    const hers = await invite({ email: 'her@example.com' });
    for (const invitation of [undefined, 'rubbish', expired.code, withdrawn.code, hers.code]) {
      const refused = await register(person('mallory', { invitation }));
      expect(refused).toMatchObject({ status: 403, body: { code: 'auth.invitation.forbidden' } });
    }
    expect((await register(person('her', { invitation: hers.code, email: 'HER@example.com' }))).status).toBe(201);
  });

  it('keeps codes as hashes alone, and shows them once', async () => {
    const { code } = await invite();
    expect(JSON.stringify(await sql('SELECT * FROM invitations'))).not.toContain(code);
    expect(JSON.stringify((await api.call('GET', '/api/auth/invitations', admin)).body)).not.toContain(code);
  });

  it('makes one invitation of a request that is repeated', async () => {
    const key = randomUUID();
    const send = async (): Promise<unknown> => {
      const response = await fetch(`${api.url}/api/auth/invitations`, {
        method: 'POST',
        headers: { authorization: `Bearer ${admin}`, 'content-type': 'application/json', 'idempotency-key': key },
        body: '{}',
      });
      return response.json();
    };
    expect(await send()).toEqual(await send());
  });

  it('pages through the invitations without losing or repeating one', async () => {
    for (let n = 0; n < 3; n += 1) await invite();
    const seen: unknown[] = [];
    let cursor = '';
    do {
      const page = await api.call('GET', `/api/auth/invitations?limit=2${cursor}`, admin);
      seen.push(...(page.body['items'] as { id: string }[]).map(({ id }) => id));
      cursor = typeof page.body['nextCursor'] === 'string' ? `&cursor=${page.body['nextCursor']}` : '';
    } while (cursor !== '');
    const [row] = await sql('SELECT count(*)::int AS count FROM invitations');
    expect([seen.length, new Set(seen).size]).toEqual([row?.['count'], row?.['count']]);
  });

  it('says whether a name or an address is free, a number of times', async () => {
    const check = (path: string, body: object): ReturnType<TestApi['call']> =>
      api.call('POST', `/api/auth/${path}`, null, body);
    expect((await check('check-username', { username: 'Admin' })).body).toEqual({ available: false });
    expect((await check('check-email', { email: 'ADMIN@vigil.invalid' })).body).toEqual({ available: false });
    expect((await check('check-email', { email: 'free-address@example.com' })).body).toEqual({ available: true });
    let last = 200;
    for (let n = 0; n < 30 && last === 200; n += 1) {
      last = (await check('check-username', { username: `free-${String(n)}` })).status;
    }
    expect(last).toBe(429);
  });
});

describe('registering', () => {
  it('needs nobody where it is open, and nobody can where it is closed', async () => {
    const open = await TestApi.start({ REGISTRATION: 'open' }, 10);
    try {
      expect((await open.call('POST', '/api/auth/register', null, person('alice'))).status).toBe(201);
      expect((await open.call('POST', '/api/auth/register', null, person('alice'))).status).toBe(409);
    } finally {
      await open.close();
    }
    const closed = await TestApi.start({ REGISTRATION: 'closed' }, 10);
    try {
      for (const [path, body] of [
        ['register', person('alice')],
        ['check-username', { username: 'admin' }],
        ['check-email', { email: 'admin@vigil.invalid' }],
      ] as const) {
        const refused = await closed.call('POST', `/api/auth/${path}`, null, body);
        expect(refused).toMatchObject({ status: 403, body: { code: 'auth.registration.forbidden' } });
      }
    } finally {
      await closed.close();
    }
  }, 60_000);
});
