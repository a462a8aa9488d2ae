import { createHmac, createSign, generateKeyPairSync, randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { AppSecretsRepository } from './app-secrets.repository.js';
import { TestApi } from '../test-api.fixture.js';
import { JWT_SECRET } from './jwt-secret.js';
import { SIGNING_SECRET } from './signing-secret.js';

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const HOUR = 3_600;

interface RawAnswer {
  status: number;
  type: string;
  code: string;
}

/** Sends header lines as they are: clients of the language would not. */
function raw(url: string, lines: readonly string[]): Promise<RawAnswer> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(Number(port), hostname, () => {
      const head = ['GET /api/auth/session HTTP/1.1', `Host: ${hostname}`, 'Connection: close', ...lines];
      socket.write(`${head.join('\r\n')}\r\n\r\n`, 'latin1');
    });
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => (text += chunk));
    socket.on('error', reject);
    socket.on('close', () => {
      const code = /"code":"([^"]+)"/.exec(text)?.[1] ?? '';
      const type = /^content-type: ([^;\r]+)/im.exec(text)?.[1] ?? '';
      resolve({ status: Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1]), type, code });
    });
  });
}

describe('hostile access tokens', () => {
  let api: TestApi;
  let valid: string;
  let refreshToken: string;
  let secret: string;

  beforeAll(async () => {
    api = await TestApi.start({}, 10);
    const { body } = await api.login('admin');
    valid = String(body['accessToken']);
    refreshToken = String(body['refreshToken']);
    secret = api.app.get<string>(JWT_SECRET, { strict: false });
  }, 60_000);

  afterAll(() => api.close());

  function forge(changes: Record<string, unknown>, header: Record<string, unknown> = {}, key = secret): string {
    const claims = JSON.parse(Buffer.from(valid.split('.')[1] ?? '', 'base64url').toString('utf8')) as object;
    const text = `${encode({ alg: 'HS256', typ: 'JWT', ...header })}.${encode({ ...claims, ...changes })}`;
    const digest = header['alg'] === 'HS512' ? 'sha512' : header['alg'] === 'HS384' ? 'sha384' : 'sha256';
    return `${text}.${createHmac(digest, key).update(text).digest('base64url')}`;
  }

  function authorizations(): Record<string, string[]> {
    const [head = '', claims = '', signature = ''] = valid.split('.');
    const now = Math.floor(Date.now() / 1_000);
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
    const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
    const jwk = publicKey.export({ format: 'jwk' });
    const rsa = (header: Record<string, unknown>): string => {
      const text = `${encode({ alg: 'RS256', typ: 'JWT', ...header })}.${claims}`;
      return `${text}.${createSign('RSA-SHA256').update(text).sign(privateKey, 'base64url')}`;
    };
    const tokens: Record<string, string> = {
      'algorithm none': `${encode({ alg: 'none', typ: 'JWT' })}.${claims}.`,
      'algorithm None with a signature': `${encode({ alg: 'None', typ: 'JWT' })}.${claims}.${signature}`,
      'algorithm nOnE without dots': `${encode({ alg: 'nOnE' })}.${claims}`,
      'no algorithm': `${encode({ typ: 'JWT' })}.${claims}.${signature}`,
      HS384: forge({}, { alg: 'HS384' }),
      HS512: forge({}, { alg: 'HS512' }),
      'RS256 with a key of its own': rsa({}),
      'RS256 with that key in the header': rsa({ jwk }),
      'RS256 with a key somewhere else': rsa({ jku: 'https://evil.example/keys', x5u: 'https://evil.example/cert' }),
      'HS256 keyed by a public key': forge({}, {}, pem),
      'HS256 keyed by nothing': forge({}, {}, ''),
      'HS256 keyed by another secret of ours': forge({}, {}, api.app.get<string>(SIGNING_SECRET, { strict: false })),
      'a key id that is a path': forge({}, { kid: '../../../../dev/null' }, ''),
      'a key id that is SQL': forge({}, { kid: "x' UNION SELECT 'key' -- " }, 'key'),
      'a symmetric key in the header': forge({}, { jwk: { kty: 'oct', k: encode('key') } }, 'key'),
      'another audience': forge({ aud: 'somebody-else' }),
      'no audience': forge({ aud: undefined }),
      'another issuer': forge({ iss: 'somebody-else' }),
      'no issuer': forge({ iss: undefined }),
      'no type': forge({ typ: undefined }),
      'type refresh': forge({ typ: 'refresh' }),
      'not valid yet': forge({ nbf: now + HOUR }),
      'no beginning': forge({ nbf: undefined }),
      expired: forge({ exp: now - 1 }),
      'no end': forge({ exp: undefined }),
      'an end in words': forge({ exp: 'never' }),
      'another user': forge({ sub: randomUUID() }),
      'a user that is no id': forge({ sub: "' OR 1=1 --" }),
      'another sign-in': forge({ sid: randomUUID() }),
      'no sign-in': forge({ sid: undefined }),
      'a sign-in of a prototype': forge({ sid: '__proto__' }),
      'claims changed': `${head}.${encode({ sub: randomUUID() })}.${signature}`,
      'header changed': `${encode({ alg: 'HS256' })}.${claims}.${signature}`,
      'signature changed': `${head}.${claims}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`,
      'signature cut': `${head}.${claims}.${signature.slice(0, 10)}`,
      'signature missing': `${head}.${claims}.`,
      'four parts': `${valid}.${signature}`,
      'claims that are no JSON': `${head}.${Buffer.from('{').toString('base64url')}.${signature}`,
      'claims that are a list': `${head}.${encode([])}.${signature}`,
      'a refresh token': refreshToken,
      'an id': randomUUID(),
      '8 kB': `${head}.${encode({ x: 'x'.repeat(8_000) })}.${signature}`,
      '100 kB': 'x'.repeat(100 * 1_024),
      '100 kB of dots': '.'.repeat(100 * 1_024),
    };
    const one = (text: string): string[] => [`Authorization: ${text}`];
    return {
      ...Object.fromEntries(Object.entries(tokens).map(([name, token]) => [name, one(`Bearer ${token}`)])),
      'no header': [],
      'an empty header': ['Authorization:'],
      'no token': one('Bearer'),
      'white space': one('Bearer    '),
      'two tokens': one(`Bearer ${valid} ${valid}`),
      'a tab instead of a blank': one(`Bearer\t${valid}`),
      'no scheme': one(valid),
      'another scheme': one(`Basic ${Buffer.from('admin:admin').toString('base64')}`),
      'a list of two': one(`Bearer ${valid}, Bearer ${valid}`),
      'quotes around it': one(`Bearer "${valid}"`),
      'two headers, the first one right': [`Authorization: Bearer ${valid}`, 'Authorization: Bearer x'],
      'the token in a query': [`X-Original-URL: /?access_token=${valid}`],
      'the token in a cookie, cookies being off': [`Cookie: __Host-vigil-access=${valid}`],
    };
  }

  it('are refused with 401 and a problem, each of them, however they come', async () => {
    const all = authorizations();
    expect(Object.keys(all).length).toBeGreaterThanOrEqual(50);
    const answers: Record<string, RawAnswer> = {};
    for (const [name, lines] of Object.entries(all)) answers[name] = await raw(api.url, lines);
    const refused = { status: 401, type: 'application/problem+json', code: 'auth.unauthorized' };
    expect(answers).toEqual(Object.fromEntries(Object.keys(all).map((name) => [name, refused])));
  });

  it('are not refused for the way they are sent: the right one passes', async () => {
    expect((await raw(api.url, [`Authorization: Bearer ${valid}`])).status).toBe(200);
    expect((await raw(api.url, [`Authorization: Bearer ${forge({})}`])).status).toBe(200);
  });

  it('with a null byte, or beyond all measure, are no request at all', async () => {
    const nul = await raw(api.url, [`Authorization: Bearer ${valid}\0`]);
    expect(nul).toEqual({ status: 400, type: 'application/problem+json', code: 'request.malformed' });
    const huge = await raw(api.url, [`Authorization: Bearer ${'x'.repeat(130 * 1_024)}`]);
    expect(huge).toEqual({ status: 431, type: 'application/problem+json', code: 'request.headers_too_large' });
  });

  it('do not come from the key being kept where others could choose it: the first one stays', async () => {
    const secrets = api.app.get(AppSecretsRepository, { strict: false });
    expect(await secrets.keep('jwt', 'a secret that somebody else would like')).toBe(secret);
  });
});
