import { randomUUID } from 'node:crypto';
import { CaptureQueue } from '#libs/bus/capture-queue.js';
import { DeliveryQueue } from '#libs/bus/delivery-queue.js';
import { CaptureWorker } from '#libs/bus/capture-worker.js';
import { connectRedis } from '#libs/bus/redis.js';
import { createLogger } from '#libs/observability/logger.js';
import { testRedisUrl } from '#libs/testing/test-database.js';
import { until } from '#libs/testing/until.js';
import { TEST_PASSWORD, TestApi } from '../test-api.fixture.js';

const BOARD = '/admin/queues';
const logger = createLogger('test', 'silent');
const basic = (username: string, password = TEST_PASSWORD): string =>
  `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;

describe('the board of queues', () => {
  let api: TestApi;
  let admin: string;
  let agent: string;

  beforeAll(async () => {
    // Nothing is reconciled meanwhile: the jobs are this spec's own.
    api = await TestApi.start({ COOKIE_AUTH: 'true', RECONCILE_INTERVAL_MS: '60000' }, 14);
    admin = await api.token(await api.user('boss', 'admin'));
    agent = await api.token(await api.user('eva', 'agent'));
  }, 60_000);
  afterAll(() => api.close());

  const ask = (path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Response> =>
    fetch(api.url + path, { method, headers, redirect: 'manual' });
  const asAdmin = (path: string, method?: string): Promise<Response> =>
    ask(path, { authorization: `Bearer ${admin}` }, method);
  /** A script that the page names. */
  const script = async (): Promise<string> =>
    `${BOARD}/${/static\/js\/main\.[0-9a-f]+\.js/.exec(await (await asAdmin(BOARD)).text())?.[0] ?? 'missing'}`;

  it('lets in nobody but admins: neither to the page, nor its files, nor its figures', async () => {
    const paths = [BOARD, `${BOARD}/`, `${BOARD}/queue/captures`, `${BOARD}/api/queues`, `${BOARD}/api/redis/stats`];
    const strangers: Record<string, string>[] = [
      {},
      { authorization: `Bearer ${agent}` },
      { authorization: 'Bearer nonsense' },
      { authorization: `Bearer ${admin} x` },
      { authorization: basic('eva') },
      { authorization: basic('boss', 'wrong password') },
      { cookie: `__Host-vigil-access=${agent}` },
      // Whoever sends an `Authorization` is judged by it.
      { authorization: 'Bearer nonsense', cookie: `__Host-vigil-access=${admin}` },
    ];
    for (const path of [...paths, await script(), `/ADMIN/queues/api/queues`, `//admin/queues`, `/admin/./queues`]) {
      for (const headers of strangers) expect([path, (await ask(path, headers)).status]).not.toEqual([path, 200]);
    }
    for (const path of [...paths, await script()]) {
      expect((await ask(path, { authorization: basic('boss') })).status).toBe(200);
      expect((await ask(path, { cookie: `__Host-vigil-access=${admin}` })).status).toBe(200);
      expect((await asAdmin(path)).status).toBe(200);
    }
  });

  it('shows the door to who is no admin any more, at once', async () => {
    const id = await api.user('former', 'admin');
    const token = await api.token(id);
    const ways = [{ authorization: basic('former') }, { authorization: `Bearer ${token}` }];
    for (const headers of ways) expect((await ask(BOARD, headers)).status).toBe(200);
    await api.call('POST', '/api/auth/change-password', token, {
      ...{ currentPassword: TEST_PASSWORD, newPassword: 'another password for tests' },
    });
    expect((await ask(BOARD, { authorization: basic('former') })).status).toBe(401);
  });

  it('changes nothing, whoever asks, by whatever method', async () => {
    const queue = api.app.get(CaptureQueue, { strict: false });
    await queue.add(captureOf(randomUUID(), 'https://example.com/live.m3u8'));
    const before = await queue.counts();
    for (const path of ['/api/queues/pause', '/api/queues/captures/pause', '/api/queues/captures/empty', '/']) {
      for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'].slice(0, path === '/' ? 4 : 5)) {
        const { status } = await asAdmin(BOARD + path, method);
        expect([path, method, status]).toEqual([path, method, method === 'OPTIONS' ? expect.any(Number) : 405]);
      }
    }
    expect((await ask(`${BOARD}/api/queues/captures/empty`, { authorization: `Bearer ${agent}` }, 'PUT')).status).toBe(
      405,
    );
    const body = (await (await asAdmin(`${BOARD}/api/queues`)).json()) as { queues: { readOnlyMode: boolean }[] };
    expect(body.queues.map(({ readOnlyMode }) => readOnlyMode)).toEqual([true, true, true, true]);
    expect(await queue.counts()).toEqual(before);
  });

  it('shows no credential that a job holds, nor one in the reason of a failure', async () => {
    const canary = `canary-${randomUUID()}`;
    const queue = api.app.get(CaptureQueue, { strict: false });
    const streamId = randomUUID();
    await queue.add({
      ...captureOf(streamId, `https://user:${canary}@example.com/${canary}/live.m3u8?token=${canary}`),
      chat: { platform: 'chaturbate', channel: 'room', options: { token: canary } },
    });
    await api.app
      .get(DeliveryQueue, { strict: false })
      .add([{ deliveryId: randomUUID(), attempt: 0, channel: 'webhook', delayMs: 3_600_000 }]);
    const redis = connectRedis(testRedisUrl(14), 'worker', logger);
    const worker = new CaptureWorker(
      redis,
      () => Promise.reject(new Error(`could not open https://user:${canary}@example.com/a?token=${canary}`)),
      { lockMs: 10_000 },
      logger,
    );
    worker.start();
    const job = `${BOARD}/api/queues/captures/capture-${streamId}`;
    const text = async (path: string): Promise<string> => (await asAdmin(path)).text();
    await until(async () => (await text(job)).includes('could not open'), 'a failed capture');
    await worker.close();
    redis.disconnect();
    const shown = await Promise.all(
      [
        job,
        `${job}/logs`,
        `${job}/flow`,
        '/api/queues?activeQueue=captures',
        '/api/queues?activeQueue=deliveries-webhook',
      ].map((path) => text(path.startsWith(BOARD) ? path : BOARD + path)),
    );
    expect(shown.join()).toContain(streamId);
    expect(shown.join()).toContain('deliveryId');
    expect(shown.join()).toContain('"parts":["video"]');
    expect(shown.join()).not.toContain(canary);
  }, 30_000);

  it('has a policy of its own, and is kept by no cache', async () => {
    for (const path of [BOARD, await script(), `${BOARD}/api/queues`]) {
      const { headers } = await asAdmin(path);
      const policy = headers.get('content-security-policy') ?? '';
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("script-src 'self'");
      expect(policy).not.toMatch(/script-src[^;]*(unsafe|https:|\*)/);
      expect(policy).toContain("frame-ancestors 'none'");
      expect(headers.get('cross-origin-resource-policy')).toBe('same-origin');
    }
    expect((await asAdmin(`${BOARD}/api/queues`)).headers.get('cache-control')).toBe('no-store');
    expect((await asAdmin(`${BOARD}/api/queues?jobsPerPage=100000`)).status).toBe(400);
    expect((await asAdmin(`${BOARD}/api/queues/nothing/1`)).status).toBe(404);
  });
});

const captureOf = (streamId: string, url: string) => ({
  ...{ v: 1 as const, streamId, generation: 1, name: 'Main stage', platform: 'url', url },
  ...{ priority: 5, parts: ['video' as const], language: null, chat: null },
});
