import { io, type Socket } from 'socket.io-client';
import { NAMESPACES } from '#libs/contracts/names.js';
import { TransactionRunner } from '../database/transaction.js';
import { TEST_PASSWORD, TestApi } from '../test-api.fixture.js';

/** Sockets must be gone within 5 s; a busy machine gets some more. */
const PATIENCE_MS = 9_000;

interface SignIn {
  token: string;
  sessionId: string;
  refreshToken: string;
}

describe('a right that ends', () => {
  let api: TestApi;
  let other: TestApi;
  let admin: string;
  const open = new Set<Socket>();
  let users = 0;

  beforeAll(async () => {
    api = await TestApi.start({}, 11);
    other = await api.beside();
    admin = String((await api.login('admin')).body['accessToken']);
  }, 60_000);

  afterEach(() => {
    for (const socket of open) socket.disconnect();
    open.clear();
  });

  afterAll(async () => {
    await other.close();
    await api.close();
  });

  async function somebody(): Promise<{ id: string; username: string }> {
    users += 1;
    const username = `user-${String(users)}`;
    return { id: await api.user(username, 'agent'), username };
  }

  async function signIn(username: string): Promise<SignIn> {
    const { body } = await api.login(username);
    const token = String(body['accessToken']);
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8')) as { sid: string };
    return { token, sessionId: claims.sid, refreshToken: String(body['refreshToken']) };
  }

  /** Sockets of a sign-in in both namespaces and both processes. */
  async function sockets({ token }: SignIn): Promise<Socket[]> {
    const places = [api, other].flatMap(({ url }) => Object.values(NAMESPACES).map((namespace) => url + namespace));
    return Promise.all(
      places.map(
        (place) =>
          new Promise<Socket>((resolve, reject) => {
            const socket = io(place, {
              auth: { token },
              transports: ['websocket'],
              reconnection: false,
              forceNew: true,
            });
            open.add(socket);
            socket.once('connect', () => {
              resolve(socket);
            });
            socket.once('connect_error', reject);
          }),
      ),
    );
  }

  function gone(all: readonly Socket[]): Promise<unknown> {
    return Promise.all(
      all.map(
        (socket) =>
          new Promise<void>((resolve, reject) => {
            const timer = setTimeout(() => {
              reject(new Error('a socket stayed open'));
            }, PATIENCE_MS);
            socket.once('disconnect', () => {
              clearTimeout(timer);
              resolve();
            });
          }),
      ),
    );
  }

  const status = async ({ token }: SignIn, at = api): Promise<number> =>
    (await at.call('GET', '/api/auth/session', token)).status;
  const refresh = async ({ refreshToken }: SignIn): Promise<number> =>
    (await api.call('POST', '/api/auth/token-verify', null, { refreshToken })).status;

  async function expectEnded(signedIn: SignIn, ended: Promise<unknown>): Promise<void> {
    expect([await status(signedIn), await status(signedIn, other), await refresh(signedIn)]).toEqual([401, 401, 401]);
    await ended;
  }

  async function expectAlive(signedIn: SignIn, all: readonly Socket[]): Promise<void> {
    expect([await status(signedIn), await status(signedIn, other)]).toEqual([200, 200]);
    expect(all.map(({ connected }) => connected)).toEqual(all.map(() => true));
  }

  it.each<[string, (one: SignIn, rest: SignIn) => Promise<{ status: number }>]>([
    ['logout', (one) => api.call('POST', '/api/auth/logout', one.token)],
    ['ending it from elsewhere', (one, rest) => api.call('DELETE', `/api/auth/sessions/${one.sessionId}`, rest.token)],
    ['signing out everywhere else', (_one, rest) => api.call('DELETE', '/api/auth/sessions', rest.token)],
    [
      'a change of the password',
      (_one, rest) => {
        const body = { currentPassword: TEST_PASSWORD, newPassword: `${TEST_PASSWORD} 2` };
        return api.call('POST', '/api/auth/change-password', rest.token, body);
      },
    ],
  ])(
    'by %s takes one sign-in at once, with its sockets on every process, and leaves the other',
    async (_name, end) => {
      const { username } = await somebody();
      const [one, rest] = [await signIn(username), await signIn(username)];
      const [mine, others] = [await sockets(one), await sockets(rest)];
      const ended = gone(mine);
      expect((await end(one, rest)).status).toBe(204);
      await expectEnded(one, ended);
      await expectAlive(rest, others);
    },
    30_000,
  );

  it('by being disabled takes all sign-ins, which stay void when the user is enabled again', async () => {
    const { id, username } = await somebody();
    const one = await signIn(username);
    const ended = gone(await sockets(one));
    expect((await api.call('PATCH', `/api/agents/${id}`, admin, { disabled: true })).status).toBe(200);
    await expectEnded(one, ended);
    expect((await api.call('PATCH', `/api/agents/${id}`, admin, { disabled: false })).status).toBe(200);
    expect([await status(one), await refresh(one)]).toEqual([401, 401]);
  }, 30_000);

  it('by a change of role counts at the next request, and on sockets although nobody told of it', async () => {
    const { id, username } = await somebody();
    const one = await signIn(username);
    const all = await sockets(one);
    const ended = gone(all);
    const role = (name: string): Promise<unknown> =>
      api.app
        .get(TransactionRunner, { strict: false })
        .run((tx) => tx.query('UPDATE users SET role = $2 WHERE id = $1', [id, name]));
    expect((await api.call('GET', '/api/agents', one.token)).status).toBe(403);
    await role('admin');
    expect((await api.call('GET', '/api/agents', one.token)).status).toBe(200);
    await ended;
    await role('agent');
    expect((await other.call('GET', '/api/agents', one.token)).status).toBe(403);
  }, 30_000);

  it('by a refresh token that came again takes the sockets, too', async () => {
    const { username } = await somebody();
    const one = await signIn(username);
    const ended = gone(await sockets(one));
    const second = await api.call('POST', '/api/auth/token-verify', null, { refreshToken: one.refreshToken });
    await api.call('POST', '/api/auth/token-verify', null, { refreshToken: second.body['refreshToken'] });
    // A descendant was used, so this is no second tab.
    expect(await refresh(one)).toBe(401);
    await expectEnded(one, ended);
  }, 30_000);
});
