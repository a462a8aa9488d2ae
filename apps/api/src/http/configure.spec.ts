import { TEST_PASSWORD, TestApi } from '../test-api.fixture.js';

const basic = (username: string, password: string): string =>
  `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;

describe('the HTTP front', () => {
  let api: TestApi;

  beforeAll(async () => {
    api = await TestApi.start({ NODE_ENV: 'production', CORS_ORIGINS: 'https://front.example' }, 15);
    await api.user('agent', 'agent');
  }, 60_000);

  afterAll(() => api.close());

  it('answers bodies that are no JSON, too large, or of the wrong shape as problems', async () => {
    const login = (body: unknown) => api.call('POST', '/api/auth/login', null, body);
    expect((await login('{"username":')).body).toMatchObject({ status: 400, code: 'request.malformed' });
    expect((await login({ username: 'x'.repeat(1_100_000) })).body).toMatchObject({
      status: 413,
      code: 'request.too_large',
    });
    const wrong = await login({ username: 7, password: 'x', more: true });
    expect(wrong.body).toMatchObject({ status: 400, code: 'request.invalid', instance: '/api/auth/login' });
    expect(wrong.body['errors']).toEqual(
      expect.arrayContaining([expect.objectContaining({ path: 'username', message: expect.any(String) as string })]),
    );
  });

  it('takes over a request id that looks like one, and makes its own otherwise', async () => {
    const ask = async (id: string): Promise<string | null> =>
      (await fetch(`${api.url}/api/health/live`, { headers: { 'X-Request-Id': id } })).headers.get('x-request-id');
    expect(await ask('request-12345')).toBe('request-12345');
    expect(await ask('<script>')).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('lets browsers of the listed origins in and no others', async () => {
    const allowed = async (origin: string): Promise<string | null> =>
      (await fetch(`${api.url}/api/health/live`, { headers: { origin } })).headers.get('access-control-allow-origin');
    expect(await allowed('https://front.example')).toBe('https://front.example');
    expect(await allowed('https://evil.example')).toBeNull();
  });

  it('shows the documentation to admins alone in production', async () => {
    const statusOf = async (path: string, authorization?: string): Promise<number> =>
      (await fetch(api.url + path, { headers: authorization === undefined ? {} : { authorization } })).status;
    for (const path of ['/docs', '/openapi.json', '/openapi.yaml', '/docs/swagger-ui-init.js']) {
      expect(await statusOf(path)).toBe(401);
      expect(await statusOf(path, basic('agent', TEST_PASSWORD))).toBe(401);
      expect(await statusOf(path, basic('admin', 'wrong password'))).toBe(401);
      expect(await statusOf(path, basic('admin', TEST_PASSWORD))).toBe(200);
    }
  });
});
