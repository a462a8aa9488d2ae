import { createHmac, createSign, generateKeyPairSync, randomUUID } from 'node:crypto';
import { TransactionRunner } from '../database/transaction.js';
import { TEST_PASSWORD, TestApi } from '../test-api.fixture.js';
import { JWT_SECRET } from './jwt-secret.js';

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('signing in and staying in', () => {
  let api: TestApi;

  beforeAll(async () => {
    api = await TestApi.start({}, 10);
  }, 60_000);

  afterAll(() => api.close());

  const session = (token: string): Promise<{ status: number }> => api.call('GET', '/api/auth/session', token);
  const refresh = (refreshToken: unknown): ReturnType<TestApi['call']> =>
    api.call('POST', '/api/auth/token-verify', null, { refreshToken });

  async function signIn(username = 'admin'): Promise<{ accessToken: string; refreshToken: string }> {
    const { status, body } = await api.login(username);
    expect(status).toBe(200);
    return { accessToken: String(body['accessToken']), refreshToken: String(body['refreshToken']) };
  }

  /** Makes it look as if all tokens had been used that much earlier. */
  async function age(ms: number): Promise<void> {
    await api.app
      .get(TransactionRunner, { strict: false })
      .run((tx) => tx.query(`UPDATE refresh_tokens SET used_at = used_at - $1 * interval '1 millisecond'`, [ms]));
  }

  it('takes the user name or the e-mail address, whatever the case', async () => {
    expect((await api.login('ADMIN')).status).toBe(200);
    expect((await api.login('admin@vigil.invalid')).status).toBe(200);
  });

  it('gives an unknown user, a wrong password and a disabled user the same answer', async () => {
    await api.disable(await api.user('gone', 'agent'));
    const answers = await Promise.all([
      api.login('nobody', TEST_PASSWORD),
      api.login('admin', 'a wrong password'),
      api.login('gone', TEST_PASSWORD),
    ]);
    const { requestId: _first, ...expected } = answers[0].body;
    for (const { status, body } of answers) {
      expect(status).toBe(401);
      expect(body).toMatchObject(expected);
    }
  });

  it('refuses every token that was not issued as an access token', async () => {
    const { accessToken, refreshToken } = await signIn();
    const [head = '', claims = '', signature = ''] = accessToken.split('.');
    const payload = JSON.parse(Buffer.from(claims, 'base64url').toString('utf8')) as Record<string, unknown>;
    const secret = api.app.get<string>(JWT_SECRET, { strict: false });
    const hs256 = (changes: Record<string, unknown>, key = secret, alg = 'HS256'): string => {
      const text = `${encode({ alg, typ: 'JWT' })}.${encode({ ...payload, ...changes })}`;
      return `${text}.${createHmac(alg === 'HS512' ? 'sha512' : 'sha256', key)
        .update(text)
        .digest('base64url')}`;
    };
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
    const rsText = `${encode({ alg: 'RS256', typ: 'JWT' })}.${claims}`;
    const hour = 3_600;
    const hostile: Record<string, string> = {
      'no algorithm': `${encode({ alg: 'none', typ: 'JWT' })}.${claims}.`,
      'another algorithm': `${rsText}.${createSign('RSA-SHA256').update(rsText).sign(privateKey, 'base64url')}`,
      'a stronger algorithm of the same key': hs256({}, secret, 'HS512'),
      'another key': hs256({}, 'another key of more than 32 characters'),
      'another audience': hs256({ aud: 'somebody-else' }),
      'another issuer': hs256({ iss: 'somebody-else' }),
      'another type': hs256({ typ: 'refresh' }),
      'not valid yet': hs256({ nbf: Math.floor(Date.now() / 1_000) + hour }),
      expired: hs256({ exp: Math.floor(Date.now() / 1_000) - 1 }),
      'without an end': hs256({ exp: undefined }),
      'another user': hs256({ sub: randomUUID() }),
      'another sign-in': hs256({ sid: randomUUID() }),
      'claims that were changed': `${head}.${encode({ ...payload, sub: randomUUID() })}.${signature}`,
      'a refresh token': refreshToken,
      huge: `${head}.${encode({ ...payload, x: 'x'.repeat(6_000) })}.${signature}`,
      empty: '',
    };
    const statuses: Record<string, number> = {};
    for (const [name, token] of Object.entries(hostile)) statuses[name] = (await session(token)).status;
    expect(statuses).toEqual(Object.fromEntries(Object.keys(hostile).map((name) => [name, 401])));
    // The forge is right but for the changes: unchanged claims are taken.
    expect((await session(hs256({}))).status).toBe(200);
  });

  it('refuses an access token where a refresh token belongs, and says that a refresh token is no access token', async () => {
    const { accessToken, refreshToken } = await signIn();
    expect((await refresh(accessToken)).status).toBe(401);
    const verified = await api.call('POST', '/api/auth/token-verify', null, { token: refreshToken });
    expect(verified.body).toEqual({ valid: false, user: null });
    const valid = await api.call('POST', '/api/auth/token-verify', null, { token: accessToken });
    expect(valid.body).toMatchObject({ valid: true, user: { username: 'admin' } });
  });

  it('rotates refresh tokens, and ends the sign-in when a used one comes again later', async () => {
    const first = await signIn();
    const second = await refresh(first.refreshToken);
    expect(second.status).toBe(200);
    expect(second.body['refreshToken']).not.toBe(first.refreshToken);
    await age(11_000);
    expect((await refresh(first.refreshToken)).status).toBe(401);
    // Everything of that sign-in is void, the newest tokens included.
    expect((await refresh(second.body['refreshToken'])).status).toBe(401);
    expect((await session(String(second.body['accessToken']))).status).toBe(401);
    expect((await session(first.accessToken)).status).toBe(401);
  });

  it('ends the sign-in when a token comes again after a descendant of it was used, however soon', async () => {
    const first = await signIn();
    const second = await refresh(first.refreshToken);
    const third = await refresh(second.body['refreshToken']);
    expect(third.status).toBe(200);
    expect((await refresh(first.refreshToken)).status).toBe(401);
    expect((await refresh(third.body['refreshToken'])).status).toBe(401);
  });

  it('leaves one live sign-in when two tabs refresh at once', async () => {
    const first = await signIn();
    const answers = await Promise.all([refresh(first.refreshToken), refresh(first.refreshToken)]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    const sessions = new Set(
      answers.map(({ body }) => {
        const claims = Buffer.from(String(body['accessToken']).split('.')[1] ?? '', 'base64url').toString('utf8');
        return (JSON.parse(claims) as { sid: string }).sid;
      }),
    );
    expect(sessions.size).toBe(1);
    for (const { body } of answers) expect((await session(String(body['accessToken']))).status).toBe(200);
  });

  it('makes access and refresh tokens void at once on logout, and leaves other sign-ins alone', async () => {
    const [one, other] = [await signIn(), await signIn()];
    expect((await api.call('POST', '/api/auth/logout', one.accessToken)).status).toBe(204);
    expect((await session(one.accessToken)).status).toBe(401);
    expect((await refresh(one.refreshToken)).status).toBe(401);
    expect((await session(other.accessToken)).status).toBe(200);
  });

  it('lets a user with a one-time password do nothing but change it', async () => {
    const { accessToken: admin } = await signIn();
    const made = await api.call('POST', '/api/agents', admin, { username: 'newcomer', email: 'newcomer@example.com' });
    const password = String(made.body['password']);
    const { body } = await api.login('newcomer', password);
    const token = String(body['accessToken']);
    expect((await api.call('GET', '/api/streams', token)).body['code']).toBe('auth.password_change_required');
    const wrong = { currentPassword: 'not the password', newPassword: TEST_PASSWORD };
    expect((await api.call('POST', '/api/auth/change-password', token, wrong)).status).toBe(403);
    const change = { currentPassword: password, newPassword: TEST_PASSWORD };
    expect((await api.call('POST', '/api/auth/change-password', token, change)).status).toBe(204);
    expect((await api.call('GET', '/api/streams', token)).status).toBe(200);
    expect((await api.login('newcomer', password)).status).toBe(401);
  });

  it('shuts a disabled agent out at the next request', async () => {
    const { accessToken: admin } = await signIn();
    const id = await api.user('shut-out', 'agent');
    const token = await api.token(id);
    expect((await session(token)).status).toBe(200);
    expect((await api.call('PATCH', `/api/agents/${id}`, admin, { disabled: true })).status).toBe(200);
    expect((await session(token)).status).toBe(401);
  });

  it('pauses after too many wrong passwords for one account, and says for how long', async () => {
    await api.user('guessed', 'agent');
    const statuses: number[] = [];
    for (let attempt = 0; attempt < 11; attempt += 1) statuses.push((await api.login('guessed', 'wrong')).status);
    expect(statuses).toEqual([...Array<number>(10).fill(401), 429]);
    const refused = await api.login('guessed');
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    // Others are not held back by it.
    expect((await api.login('admin')).status).toBe(200);
  });
});
