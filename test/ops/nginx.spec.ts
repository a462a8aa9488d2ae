import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { io } from 'socket.io-client';
import { repositoryRoot } from '#libs/config/environment.js';
import { UNTRUSTED_CERTIFICATE } from '#libs/testing/chat-certificate.js';
import { until } from '#libs/testing/until.js';
import { freePort } from '#tools/services/preflight.js';
import { TestApi } from '../../apps/api/src/test-api.fixture.js';

interface Answer {
  status: number;
  headers: http.IncomingHttpHeaders;
  body: string;
}

const MB = 2 ** 20;
const version = versionOfNginx();

/** What nginx is there, null when there is none. */
function versionOfNginx(): readonly [number, number] | null {
  try {
    const [, major, minor] = /nginx\/(\d+)\.(\d+)/.exec(execFileSync('sh', ['-c', 'nginx -v 2>&1']).toString()) ?? [];
    return major === undefined ? null : [Number(major), Number(minor)];
  } catch {
    return null;
  }
}

if (version === null) process.stderr.write('left out, there is no nginx here: docker/nginx/vigil.conf\n');

/**
 * Real: nginx with the file that is deployed, TLS, the api behind it. Changed in the file: ports, the name of the api and
 * the place of the certificate; and `http2 on`, which nginx knows since 1.25.
 */
(version === null ? describe.skip : describe)('behind nginx', () => {
  let folder: string;
  let api: TestApi;
  let nginx: ChildProcess;
  let [plain, secure] = [0, 0];
  let admin: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'vigil-nginx-'));
    api = await TestApi.start({ NODE_ENV: 'production', TRUST_PROXY: 'loopback', HTTPS_ONLY: 'true' }, 13);
    admin = await api.token(await api.user('boss', 'admin'));
    [plain, secure] = [await freePort(), await freePort()];
    await writeFile(join(folder, 'cert.pem'), UNTRUSTED_CERTIFICATE.cert);
    await writeFile(join(folder, 'key.pem'), UNTRUSTED_CERTIFICATE.key);
    const deployed = await readFile(join(repositoryRoot, 'docker', 'nginx', 'vigil.conf'), 'utf8');
    const [major, minor] = version ?? [0, 0];
    const own = deployed
      .replace(/^ *listen \[::\].*$/gm, '')
      .replace('listen 80;', `listen 127.0.0.1:${plain};`)
      .replace('listen 443 ssl;', `listen 127.0.0.1:${secure} ssl;`)
      .replace('server api:3000', `server ${new URL(api.url).host}`)
      .replaceAll('/etc/nginx/tls/fullchain.pem', join(folder, 'cert.pem'))
      .replace('/etc/nginx/tls/key.pem', join(folder, 'key.pem'))
      .replace(major === 1 && minor < 25 ? /^ *http2 on;$/m : /(?!)/, '');
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((of) => `${of}_temp_path ${of};`);
    const user = process.getuid?.() === 0 ? 'user root;' : '';
    await writeFile(
      join(folder, 'nginx.conf'),
      `${user} daemon off; pid nginx.pid; error_log stderr; events {} http { access_log off; ${temporary.join(' ')} ${own} }`,
    );
    nginx = spawn('nginx', ['-p', folder, '-c', 'nginx.conf'], { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    nginx.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()));
    await until(async () => {
      if (nginx.exitCode !== null) throw new Error(`nginx ended: ${said}`);
      return ask(`http://127.0.0.1:${plain}/`).then(
        () => true,
        () => false,
      );
    }, 'nginx');
  }, 60_000);

  afterAll(async () => {
    const ended = new Promise((resolve) => nginx.once('exit', resolve));
    nginx.kill('SIGQUIT');
    await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 3_000).unref())]);
    nginx.kill('SIGKILL');
    await api.close();
    await rm(folder, { recursive: true, force: true });
  });

  function ask(
    url: string,
    { method = 'GET', headers = {}, body }: { method?: string; headers?: http.OutgoingHttpHeaders; body?: Buffer } = {},
  ): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const { request } = url.startsWith('https:') ? https : http;
      const sent = request(url, { method, headers, rejectUnauthorized: false, agent: false }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text });
        });
      });
      sent.on('error', reject).end(body);
    });
  }
  const path = (rest: string): string => `https://127.0.0.1:${secure}${rest}`;
  const authorization = (): { authorization: string } => ({ authorization: `Bearer ${admin}` });

  it('sends plain http to https, with its path', async () => {
    const { status, headers } = await ask(`http://127.0.0.1:${plain}/api/streams?limit=1`, {
      headers: { host: 'vigil.example' },
    });
    expect([status, headers.location]).toEqual([308, 'https://vigil.example/api/streams?limit=1']);
  });

  it('passes requests on, with HSTS and an id, and tells the api who asks and how', async () => {
    const answer = await ask(path('/api/streams'), { headers: authorization() });
    // With `HTTPS_ONLY` the api itself would answer 308, did it not learn that the request came by https.
    expect(answer.status).toBe(200);
    expect(answer.headers['strict-transport-security']).toMatch(/max-age=\d{8}/);
    expect(answer.headers['x-request-id']).toMatch(/^[0-9a-f]{32}$/);
    expect(answer.headers.server).toBe('nginx');
    const login = { username: 'boss', password: 'a password for tests' };
    await ask(path('/api/auth/login'), {
      ...{ method: 'POST', headers: { 'content-type': 'application/json', 'x-forwarded-for': '203.0.113.9' } },
      body: Buffer.from(JSON.stringify(login)),
    });
    const { body } = await ask(path('/api/auth/sessions'), { headers: authorization() });
    expect(body).toContain('127.0.0.1');
    expect(body).not.toContain('203.0.113.9');
  });

  it('keeps the figures for the inside', async () => {
    for (const metrics of ['/metrics', '/api/metrics']) {
      expect((await ask(path(metrics), { headers: authorization() })).status).toBe(404);
      const direct = { ...authorization(), 'x-forwarded-proto': 'https' };
      expect((await ask(api.url + metrics, { headers: direct })).status).toBe(200);
    }
    expect((await ask(path('/admin/queues/api/queues'))).status).toBe(401);
  });

  it('takes bodies up to 32 MB, beneath which the api has limits of its own', async () => {
    const send = (bytes: number): Promise<Answer> =>
      ask(path('/api/auth/login'), {
        ...{ method: 'POST', headers: { 'content-type': 'application/json', 'content-length': bytes } },
        body: Buffer.alloc(bytes, 'x'),
      });
    const byApi = await send(31 * MB);
    expect([byApi.status, byApi.headers['content-type']]).toEqual([
      413,
      expect.stringContaining('application/problem+json'),
    ]);
    const byNginx = await send(33 * MB).catch(() => null);
    // It may close the connection while the rest is still being sent.
    if (byNginx !== null) expect([byNginx.status, byNginx.headers['content-type']]).toEqual([413, 'text/html']);
  });

  it('upgrades sockets', async () => {
    const options = { auth: { token: admin }, transports: ['websocket'], rejectUnauthorized: false };
    const socket = io(path(''), options);
    await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('connect_error', reject));
    expect(socket.io.engine.transport.name).toBe('websocket');
    socket.disconnect();
  });

  it('hands on server-sent events as they come, not at the end', async () => {
    const begun = await ask(path('/api/streams/jobs'), {
      ...{ method: 'POST', headers: { ...authorization(), 'content-type': 'application/json' } },
      body: Buffer.from(JSON.stringify({ name: 'live', url: 'https://example.com/l' })),
    });
    const { id } = JSON.parse(begun.body) as { id: string };
    const url = path(`/api/streams/jobs/${id}/events`);
    const first = await new Promise<string>((resolve, reject) => {
      const request = https.get(url, { headers: authorization(), rejectUnauthorized: false }, (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => {
          text += chunk.toString('utf8');
          if (!text.includes('data: ')) return;
          resolve(text);
          request.destroy();
        });
        response.on('end', () => reject(new Error('It came at the end.')));
      });
      request.once('error', reject);
    });
    // The job waits for a monitor, and there is none: it runs on.
    expect(first).toContain('"state":"running"');
  });
});
