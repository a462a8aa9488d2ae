import { TestApi } from '../test-api.fixture.js';

const NEW_PASSWORD = 'a password of my own';
/** What somebody who must change the password may do. */
const ALLOWED = ['POST /api/auth/change-password', 'POST /api/auth/logout', 'GET /api/auth/session'];

interface Operations {
  paths: Record<string, Record<string, { security?: object[] }>>;
}

/** Starts an api without a configured password and reads the one that it prints. */
async function startPrinting(): Promise<{ api: TestApi; password: string }> {
  const write = process.stdout.write.bind(process.stdout);
  let printed = '';
  process.stdout.write = (chunk: string | Uint8Array): boolean => {
    printed += String(chunk);
    return true;
  };
  try {
    const api = await TestApi.start({ DEFAULT_ADMIN_PASSWORD: '' }, 10);
    return { api, password: /^Vigil first admin: admin \/ (\S+)$/m.exec(printed)?.[1] ?? '' };
  } finally {
    process.stdout.write = write;
  }
}

describe('the first admin with a printed password', () => {
  let api: TestApi;
  let password: string;
  let token: string;

  beforeAll(async () => {
    ({ api, password } = await startPrinting());
    const { body } = await api.login('admin', password);
    expect(body['user']).toMatchObject({ role: 'admin', mustChangePassword: true });
    token = String(body['accessToken']);
  }, 60_000);

  afterAll(() => api.close());

  it('has one that nobody guesses', () => {
    expect(password.length).toBeGreaterThanOrEqual(16);
  });

  it('is refused by every route that wants somebody signed in, but three', async () => {
    const document = (await api.call('GET', '/openapi.json')).body as unknown as Operations;
    const open: string[] = [];
    let refused = 0;
    for (const [path, operations] of Object.entries(document.paths)) {
      for (const [method, { security }] of Object.entries(operations)) {
        // What other programs do with tokens of their own is no user's.
        if (security === undefined || security.length === 0 || security.some((scheme) => 'service' in scheme)) continue;
        const route = `${method.toUpperCase()} ${path}`;
        const concrete = path.replaceAll(/\{[^}]+\}/g, '00000000-0000-4000-8000-000000000000');
        // A body that nobody takes: what is let in by mistake changes nothing.
        const body = method === 'get' ? undefined : { unknown: true };
        if (ALLOWED.includes(route) && route !== 'GET /api/auth/session') continue;
        const answer = await api.call(method.toUpperCase(), concrete, token, body);
        if (answer.body['code'] === 'auth.password_change_required' && answer.status === 403) refused += 1;
        else open.push(route);
      }
    }
    expect(refused).toBeGreaterThan(30);
    expect(open).toEqual(['GET /api/auth/session']);
  });

  it('cannot keep it, and is let in once it chose another', async () => {
    const change = (newPassword: string): ReturnType<TestApi['call']> =>
      api.call('POST', '/api/auth/change-password', token, { currentPassword: password, newPassword });
    expect(await change(password)).toMatchObject({ status: 400, body: { code: 'auth.password.unchanged' } });
    expect((await api.call('GET', '/api/me', token)).status).toBe(403);
    expect((await change(NEW_PASSWORD)).status).toBe(204);
    expect((await api.call('GET', '/api/me', token)).status).toBe(200);
    expect((await api.login('admin', password)).status).toBe(401);
    const again = await api.login('admin', NEW_PASSWORD);
    expect(again.body['user']).toMatchObject({ mustChangePassword: false });
  });
});
