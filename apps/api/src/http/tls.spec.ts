import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import { io } from 'socket.io-client';
import { createLogger } from '#libs/observability/logger.js';
import { RENEWED_CERTIFICATE, UNTRUSTED_CERTIFICATE } from '#libs/testing/chat-certificate.js';
import { TestApi } from '../test-api.fixture.js';
import { Certificate } from './certificate.js';
import { startRedirect } from './https-redirect.js';

interface Answer {
  status: number | undefined;
  headers: http.IncomingHttpHeaders;
  /** Name in the certificate, for https. */
  name: string | undefined;
}

function get(url: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { request } = url.startsWith('https:') ? https : http;
    const options = { method, headers, rejectUnauthorized: false, agent: false };
    request(url, options, (response) => {
      const socket = response.socket as TLSSocket;
      const name = 'getPeerCertificate' in socket ? socket.getPeerCertificate().subject.CN : undefined;
      response
        .resume()
        .on('end', () => resolve({ status: response.statusCode, headers: response.headers, name: String(name) }));
    })
      .on('error', reject)
      .end();
  });
}

describe('https', () => {
  let directory: string;
  let api: TestApi;
  let paths: { SSL_CERT_PATH: string; SSL_KEY_PATH: string };

  const write = async ({ cert, key }: { cert: string; key: string }): Promise<void> => {
    await writeFile(paths.SSL_CERT_PATH, cert);
    await writeFile(paths.SSL_KEY_PATH, key);
  };

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'vigil-tls-'));
    paths = { SSL_CERT_PATH: join(directory, 'cert.pem'), SSL_KEY_PATH: join(directory, 'key.pem') };
    await write(UNTRUSTED_CERTIFICATE);
    api = await TestApi.start(paths);
  }, 60_000);
  afterAll(async () => {
    await api.close();
    await rm(directory, { recursive: true, force: true });
  });

  it('serves REST and sockets, with HSTS', async () => {
    expect(api.url).toMatch(/^https:/);
    const answer = await get(`${api.url}/api/health`);
    expect(answer).toMatchObject({ status: 200, name: 'localhost' });
    expect(answer.headers['strict-transport-security']).toMatch(/max-age=\d{8}/);
    const token = await api.token(await api.user('watcher', 'agent'));
    const socket = io(api.url, { auth: { token }, transports: ['websocket'], rejectUnauthorized: false });
    await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('connect_error', reject));
    socket.disconnect();
  });

  it('takes up a renewed certificate while it runs, and not half of one', async () => {
    const certificate = await Certificate.of(paths, createLogger('test', 'silent'));
    certificate?.keepFresh(api.app.getHttpServer(), 20);
    const nameNow = async (): Promise<string | undefined> => (await get(`${api.url}/api/health/live`)).name;
    await writeFile(paths.SSL_CERT_PATH, RENEWED_CERTIFICATE.cert);
    await sleep(200);
    expect(await nameNow()).toBe('localhost');
    await write(RENEWED_CERTIFICATE);
    for (let look = 0; look < 200 && (await nameNow()) !== 'renewed.localhost'; look += 1) await sleep(50);
    expect(await nameNow()).toBe('renewed.localhost');
  }, 30_000);

  it('is where plain http is sent, wherever it was to go', async () => {
    const port = await startRedirect(api.app, 0, '127.0.0.1', 8443);
    const plain = `http://127.0.0.1:${String(port)}`;
    const to = async (path: string, headers: Record<string, string> = {}): Promise<unknown> =>
      (await get(plain + path, headers, 'POST')).headers.location;
    expect((await get(`${plain}/api/streams?limit=3`)).status).toBe(308);
    expect(await to('/api/streams?limit=3')).toBe('https://127.0.0.1:8443/api/streams?limit=3');
    expect(await to('//evil.example/x')).toBe('https://127.0.0.1:8443/evil.example/x');
    expect(await to('/', { host: 'vigil.example:80' })).toBe('https://vigil.example:8443/');
    expect((await get(plain, { host: 'a b' })).status).toBe(400);
  });

  it('says in one sentence which file is missing or does not fit', async () => {
    const logger = createLogger('test', 'silent');
    await expect(Certificate.of({ ...paths, SSL_KEY_PATH: undefined }, logger)).rejects.toThrow('go together');
    await expect(Certificate.of({ ...paths, SSL_KEY_PATH: '/nowhere.pem' }, logger)).rejects.toMatchObject({
      ...{ code: 'tls.unusable', kind: 'user', message: expect.stringContaining('/nowhere.pem') as string },
    });
    await writeFile(paths.SSL_KEY_PATH, UNTRUSTED_CERTIFICATE.key);
    await expect(Certificate.of(paths, logger)).rejects.toMatchObject({ code: 'tls.unusable' });
  });
});

describe('https behind a proxy', () => {
  let api: TestApi;

  afterEach(() => api.close());

  it('is asked for when a trusted proxy says the request came over http, health checks excepted', async () => {
    api = await TestApi.start({ TRUST_PROXY: 'loopback', HTTPS_ONLY: 'true' });
    const plain = { 'x-forwarded-proto': 'http', host: 'vigil.example' };
    const answer = await get(`${api.url}/api/streams`, plain);
    expect([answer.status, answer.headers.location]).toEqual([308, 'https://vigil.example/api/streams']);
    expect((await get(`${api.url}/api/streams`, { ...plain, 'x-forwarded-proto': 'https' })).status).toBe(401);
    expect((await get(`${api.url}/api/health/live`, plain)).status).toBe(200);
  }, 60_000);

  it('is not believed of anybody else', async () => {
    api = await TestApi.start({ TRUST_PROXY: '192.0.2.1', HTTPS_ONLY: 'true' });
    expect((await get(`${api.url}/api/streams`, { 'x-forwarded-proto': 'https' })).status).toBe(308);
  }, 60_000);
});
