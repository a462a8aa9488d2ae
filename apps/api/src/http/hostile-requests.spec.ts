import { deflateRawSync, gzipSync } from 'node:zlib';
import { TEST_PASSWORD, TestApi } from '../test-api.fixture.js';

describe('the edge', () => {
  let api: TestApi;
  let token: string;

  beforeAll(async () => {
    api = await TestApi.start({ NODE_ENV: 'production', CORS_ORIGINS: 'https://front.example' }, 15);
    token = await api.token(await api.user('alice', 'agent'));
  }, 60_000);

  afterAll(() => api.close());

  async function post(
    path: string,
    type: string | null,
    body: string | Buffer,
    headers: Record<string, string> = {},
  ): Promise<{ status: number; code: unknown; body: Record<string, unknown> }> {
    const response = await fetch(api.url + path, {
      method: path === '/api/me' ? 'PATCH' : 'POST',
      headers: { authorization: `Bearer ${token}`, ...(type === null ? {} : { 'content-type': type }), ...headers },
      body: typeof body === 'string' ? body : new Uint8Array(body),
    });
    const parsed = JSON.parse((await response.text()) || '{}') as Record<string, unknown>;
    return { status: response.status, code: parsed['code'], body: parsed };
  }

  it.each([
    ['strict-transport-security', /^max-age=31536000; includeSubDomains$/],
    ['x-content-type-options', /^nosniff$/],
    ['x-frame-options', /^SAMEORIGIN$/],
    ['referrer-policy', /^no-referrer$/],
    ['cross-origin-opener-policy', /^same-origin$/],
    ['x-permitted-cross-domain-policies', /^none$/],
    ['x-dns-prefetch-control', /^off$/],
    ['content-security-policy', /default-src 'self'.*frame-ancestors 'self'.*object-src 'none'.*script-src 'self';/],
  ])('sends %s with every answer, errors included', async (name, expected) => {
    for (const path of ['/api/health/live', '/api/me', '/nothing/here']) {
      expect((await fetch(api.url + path)).headers.get(name)).toMatch(expected);
    }
  });

  it('does not say what it is made of', async () => {
    const { headers } = await fetch(`${api.url}/api/me`);
    expect(headers.get('x-powered-by')).toBeNull();
    expect(headers.get('server')).toBeNull();
  });

  it('answers what nobody serves as a problem, wherever it is', async () => {
    for (const path of ['/', '/nothing/here', '/api', '/api/nothing', '/api/%ff', '/%00']) {
      const { status, body } = await api.call('GET', path);
      expect({ path, status, code: body['code'] }).toEqual(
        path === '/%00'
          ? { path, status: 400, code: 'request.malformed' }
          : { path, status: 404, code: 'request.not_found' },
      );
    }
  });

  it('takes JSON alone', async () => {
    const body = '{"bio":"x"}';
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'text/json',
      '',
    ]) {
      expect({ type, ...(await post('/api/me', type, Buffer.from(body))) }).toMatchObject({
        type,
        status: 415,
        code: 'request.unsupported_media_type',
      });
    }
    expect((await post('/api/me', 'application/json; charset=latin9', body)).status).toBe(415);
    expect((await post('/api/me', 'application/json; charset=utf-8', body)).status).toBe(200);
  });

  it('measures a body after it is unpacked', async () => {
    const bomb = Buffer.from(`{"bio":"${'x'.repeat(3_000_000)}"}`);
    for (const [encoding, packed] of [
      ['gzip', gzipSync(bomb)],
      ['deflate', deflateRawSync(bomb)],
    ] as const) {
      const answer = await post('/api/me', 'application/json', packed, { 'content-encoding': encoding });
      expect([400, 413]).toContain(answer.status);
    }
    const unknown = await post('/api/me', 'application/json', '{}', { 'content-encoding': 'zstd' });
    expect(unknown).toMatchObject({ status: 415, code: 'request.unsupported_media_type' });
  });

  it('drops keys of prototypes, and comes to no harm by these, by doubled keys, depth, or what JSON does not know', async () => {
    const bodies: [string, number][] = [
      ['{"__proto__":{"role":"admin","polluted":true},"bio":"x"}', 200],
      ['{"bio":"half a pair: \\ud83d"}', 400],
      ['{"bio":"a pair: \\ud83d\\ude00"}', 200],
      ['{"bio\\u0000":"x"}', 400],
      ['{"constructor":{"prototype":{"polluted":true}}}', 200],
      ['{"bio":"first","bio":"second"}', 200],
      ['{"bio":{"$gt":""}}', 400],
      ['{"bio":["x"]}', 400],
      ['[]', 400],
      ['"x"', 400],
      ['null', 400],
      ['{"bio":NaN}', 400],
      [`${'{"bio":'.repeat(50_000)}1${'}'.repeat(50_000)}`, 400],
      [`${'['.repeat(100_000)}${']'.repeat(100_000)}`, 400],
    ];
    for (const [body, status] of bodies) {
      const answer = await post('/api/me', 'application/json', body);
      expect({ body: body.slice(0, 60), status: answer.status }).toEqual({ body: body.slice(0, 60), status });
    }
    const me = await api.call('GET', '/api/me', token);
    expect(me.body).toMatchObject({ bio: 'second', role: 'agent' });
    expect(Reflect.get({}, 'polluted')).toBeUndefined();
  });

  it('stores no null byte, which Postgres cannot, and does not fail over it', async () => {
    const answer = await post('/api/me', 'application/json', '{"bio":"a\\u0000b"}');
    expect(answer.status).toBe(400);
    expect((await api.call('GET', '/api/streams/%00', token)).status).toBe(400);
    const login = { username: 'a\u0000b', password: TEST_PASSWORD };
    expect((await post('/api/auth/login', 'application/json', JSON.stringify(login))).status).toBeLessThan(500);
  });

  it('comes to no harm by doubled or nested query keys', async () => {
    for (const query of [
      'limit=1&limit=2',
      'limit[$gt]=1',
      '__proto__[x]=1',
      'cursor[]=x',
      'limit=1%00',
      'x='.repeat(2_000),
    ]) {
      const { status } = await api.call('GET', `/api/notifications?${query}`, token);
      expect([query.slice(0, 30), status < 500]).toEqual([query.slice(0, 30), true]);
    }
  });

  it('answers a preflight of another origin without leave', async () => {
    const ask = (origin: string): Promise<Response> =>
      fetch(`${api.url}/api/me`, {
        method: 'OPTIONS',
        headers: {
          origin,
          'access-control-request-method': 'PATCH',
          'access-control-request-headers': 'authorization',
        },
      });
    expect((await ask('https://evil.example')).headers.get('access-control-allow-origin')).toBeNull();
    expect((await ask('null')).headers.get('access-control-allow-origin')).toBeNull();
    const allowed = await ask('https://front.example');
    expect(allowed.headers.get('access-control-allow-origin')).toBe('https://front.example');
    // Cookies are off: browsers must not send any along.
    expect(allowed.headers.get('access-control-allow-credentials')).toBeNull();
  });
});
