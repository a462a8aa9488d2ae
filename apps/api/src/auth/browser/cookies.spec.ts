import { io } from 'socket.io-client';
import { TEST_PASSWORD, TestApi } from '../../test-api.fixture.js';

const FRONT = 'https://front.example';

/** What a browser keeps of the answers: cookies, and their attributes as they came. */
class Jar {
  readonly cookies = new Map<string, string>();
  readonly attributes = new Map<string, string[]>();

  take(response: Response): void {
    for (const line of response.headers.getSetCookie()) {
      const [pair = '', ...attributes] = line.split('; ');
      const [name = '', value = ''] = pair.split('=');
      if (value === '') this.cookies.delete(name);
      else this.cookies.set(name, value);
      this.attributes.set(name, attributes);
    }
  }

  get header(): string {
    return [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  }

  get csrf(): string {
    return this.cookies.get('__Host-vigil-csrf') ?? '';
  }
}

describe('cookie mode', () => {
  let api: TestApi;

  beforeAll(async () => {
    api = await TestApi.start({ COOKIE_AUTH: 'true', CORS_ORIGINS: FRONT }, 10);
    await api.user('alice', 'agent');
    await api.user('mallory', 'agent');
  }, 60_000);

  afterAll(() => api.close());

  async function send(
    jar: Jar,
    method: string,
    path: string,
    headers: Record<string, string> = {},
    body?: unknown,
  ): Promise<Response> {
    const response = await fetch(api.url + path, {
      method,
      headers: {
        cookie: jar.header,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    jar.take(response);
    return response;
  }

  async function signIn(username = 'alice', headers: Record<string, string> = {}): Promise<Jar> {
    const jar = new Jar();
    const response = await send(jar, 'POST', '/api/auth/login', headers, { username, password: TEST_PASSWORD });
    expect(response.status).toBe(200);
    return jar;
  }

  const code = async (response: Response): Promise<unknown> => ((await response.json()) as { code?: unknown }).code;
  const change = (jar: Jar, headers: Record<string, string>): Promise<Response> =>
    send(jar, 'PATCH', '/api/me', headers, { bio: 'changed' });

  it('sets cookies that no script reads, that go over https alone, to this host alone', async () => {
    const jar = await signIn();
    for (const name of ['__Host-vigil-access', '__Host-vigil-refresh']) {
      expect(jar.attributes.get(name)).toEqual(
        expect.arrayContaining(['Path=/', 'HttpOnly', 'Secure', 'SameSite=Lax']),
      );
      expect(jar.attributes.get(name)?.some((attribute) => /^domain/i.test(attribute))).toBe(false);
    }
    expect(jar.attributes.get('__Host-vigil-csrf')).toEqual(
      expect.arrayContaining(['Path=/', 'Secure', 'SameSite=Lax']),
    );
    expect(jar.attributes.get('__Host-vigil-csrf')).not.toContain('HttpOnly');
  });

  it('lets the own page and pages of allowed origins read and change', async () => {
    const jar = await signIn();
    expect((await send(jar, 'GET', '/api/me')).status).toBe(200);
    const own = { 'x-csrf-token': jar.csrf };
    expect((await change(jar, { ...own, origin: api.url, 'sec-fetch-site': 'same-origin' })).status).toBe(200);
    expect((await change(jar, { ...own, origin: FRONT, 'sec-fetch-site': 'same-site' })).status).toBe(200);
    // A page of another origin cannot read the cookie; it is told in a header that CORS lets it read.
    const session = await send(jar, 'GET', '/api/auth/session', { origin: FRONT });
    expect(session.headers.get('x-csrf-token')).toBe(jar.csrf);
    expect(session.headers.get('access-control-allow-credentials')).toBe('true');
    expect(session.headers.get('access-control-allow-origin')).toBe(FRONT);
    expect(session.headers.get('access-control-expose-headers')).toContain('X-CSRF-Token');
  });

  it('refuses what another page could send', async () => {
    const [jar, other] = [await signIn(), await signIn('mallory')];
    const sameUserElsewhere = await signIn();
    const own = { origin: api.url };
    const attacks: Record<string, Record<string, string>> = {
      'no token': own,
      'an empty token': { ...own, 'x-csrf-token': '' },
      'a made-up token': { ...own, 'x-csrf-token': 'x' },
      "another user's token": { ...own, 'x-csrf-token': other.csrf },
      'the token of another sign-in': { ...own, 'x-csrf-token': sameUserElsewhere.csrf },
      'a page elsewhere': { origin: 'https://evil.example', 'x-csrf-token': jar.csrf },
      'a page that begins alike': { origin: `${FRONT}.evil.example`, 'x-csrf-token': jar.csrf },
      'a sandboxed page': { origin: 'null', 'x-csrf-token': jar.csrf },
      'a page elsewhere, without origin': { 'sec-fetch-site': 'cross-site', 'x-csrf-token': jar.csrf },
      'a page of the same site, without origin': { 'sec-fetch-site': 'same-site', 'x-csrf-token': jar.csrf },
    };
    for (const [name, headers] of Object.entries(attacks)) {
      const response = await change(jar, headers);
      expect({ name, status: response.status, code: await code(response) }).toEqual({
        name,
        status: 403,
        code: 'auth.csrf.forbidden',
      });
    }
  });

  it('refuses a token of another sign-in even when a sibling host planted it as a cookie, too', async () => {
    const [jar, other] = [await signIn(), await signIn('mallory')];
    jar.cookies.set('__Host-vigil-csrf', other.csrf);
    expect((await change(jar, { origin: api.url, 'x-csrf-token': other.csrf })).status).toBe(403);
  });

  it('refuses forms, which other pages may send without asking', async () => {
    const jar = await signIn();
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x']) {
      const response = await fetch(`${api.url}/api/auth/change-password`, {
        method: 'POST',
        headers: { cookie: jar.header, 'content-type': type, 'x-csrf-token': jar.csrf, origin: api.url },
        body: '{"currentPassword":"x","newPassword":"xxxxxxxxxx"}',
      });
      expect([type, response.status]).toEqual([type, 415]);
    }
  });

  it('does not sign a victim in as somebody else', async () => {
    const body = { username: 'mallory', password: TEST_PASSWORD };
    const response = await send(new Jar(), 'POST', '/api/auth/login', { origin: 'https://evil.example' }, body);
    expect(response.status).toBe(403);
    expect(response.headers.getSetCookie()).toEqual([]);
  });

  it('refreshes by the cookie alone, tells scripts no token, and keeps the CSRF token good', async () => {
    const jar = await signIn();
    const [access, refresh, csrf] = [...jar.cookies.values()];
    jar.cookies.delete('__Host-vigil-access');
    expect((await send(jar, 'POST', '/api/auth/token-verify', { origin: api.url }, {})).status).toBe(403);
    const own = { origin: api.url, 'x-csrf-token': jar.csrf };
    const answer = await send(jar, 'POST', '/api/auth/token-verify', own, {});
    const body = (await answer.json()) as object;
    expect(body).toMatchObject({ valid: true, user: { username: 'alice' } });
    expect(Object.keys(body).sort()).toEqual(['expiresIn', 'user', 'valid']);
    expect(jar.cookies.get('__Host-vigil-access')).not.toBe(access);
    expect(jar.cookies.get('__Host-vigil-refresh')).not.toBe(refresh);
    expect(jar.csrf).toBe(csrf);
    expect((await change(jar, own)).status).toBe(200);
  });

  it('takes the cookies away at logout, and they are good for nothing', async () => {
    const jar = await signIn();
    const before = jar.header;
    const own = { origin: api.url, 'x-csrf-token': jar.csrf };
    expect((await send(jar, 'POST', '/api/auth/logout', own)).status).toBe(204);
    expect([...jar.cookies.keys()]).toEqual([]);
    const again = await fetch(`${api.url}/api/me`, { headers: { cookie: before } });
    expect(again.status).toBe(401);
  });

  it('leaves bearers as they are: they need no CSRF token, and their header comes before any cookie', async () => {
    const jar = await signIn();
    const login = await api.login('mallory');
    const token = String(login.body['accessToken']);
    const headers = { authorization: `Bearer ${token}`, origin: 'https://evil.example' };
    const changed = await send(new Jar(), 'PATCH', '/api/me', headers, { bio: 'by bearer' });
    expect(changed.status).toBe(200);
    const both = await send(jar, 'GET', '/api/me', headers);
    expect(await both.json()).toMatchObject({ username: 'mallory' });
    expect((await send(jar, 'GET', '/api/me', { authorization: 'Bearer x' })).status).toBe(401);
  });

  it('lets sockets in by cookie from allowed origins, and from no other', async () => {
    const jar = await signIn();
    const outcome = (origin: string): Promise<string> =>
      new Promise((resolve) => {
        const socket = io(api.url, {
          transports: ['websocket'],
          reconnection: false,
          extraHeaders: { cookie: jar.header, origin },
        });
        const done = (text: string): void => {
          socket.disconnect();
          resolve(text);
        };
        socket.once('connect', () => {
          done('let in');
        });
        socket.once('connect_error', (error: Error & { data?: { code?: string } }) => {
          done(error.data?.code ?? error.message);
        });
      });
    expect(await outcome(FRONT)).toBe('let in');
    // Refused before any token is looked at.
    expect(await outcome('https://evil.example')).toBe('websocket error');
  });
});

describe('without cookie mode', () => {
  it('no cookie is set, and none is believed', async () => {
    const api = await TestApi.start({}, 10);
    try {
      const login = await api.login('admin');
      expect(login.headers.getSetCookie()).toEqual([]);
      const cookie = `__Host-vigil-access=${String(login.body['accessToken'])}`;
      expect((await fetch(`${api.url}/api/me`, { headers: { cookie } })).status).toBe(401);
    } finally {
      await api.close();
    }
  }, 60_000);
});
