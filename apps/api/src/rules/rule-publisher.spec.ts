import { HintSubscriber } from '#libs/bus/channels.js';
import { connectRedis, type RedisConnection } from '#libs/bus/redis.js';
import { RuleBoard, RulesHint } from '#libs/bus/rule-board.js';
import { CHANNELS, REDIS } from '#libs/contracts/names.js';
import { MonitorDirectory } from '#libs/bus/monitor-directory.js';
import type { MonitorHeartbeat } from '#libs/contracts/monitors.js';
import { createLogger } from '#libs/observability/logger.js';
import { testRedisUrl } from '#libs/testing/test-database.js';
import { TestApi } from '../test-api.fixture.js';
import { RulePublisher } from './rule-publisher.js';
import { RuleSetRepository } from './rule-set.repository.js';

const logger = createLogger('rules', 'silent');

describe('the way of the rules to the monitors', () => {
  let api: TestApi;
  let admin: string;
  let agent: string;
  let redis: RedisConnection;
  let listening: RedisConnection;
  const hints: number[] = [];

  beforeAll(async () => {
    // No round of the reconciler within the test: what reaches the board here came at once.
    api = await TestApi.start({ RECONCILE_INTERVAL_MS: '60000' }, 11);
    admin = await api.token(await api.user('chief', 'admin'));
    agent = await api.token(await api.user('watcher', 'agent'));
    redis = connectRedis(testRedisUrl(11), 'test', logger);
    listening = connectRedis(testRedisUrl(11), 'hints', logger);
    await new HintSubscriber(listening, logger).on(CHANNELS.rules, RulesHint, ({ version }) => hints.push(version));
  }, 60_000);

  afterAll(async () => {
    redis.disconnect();
    listening.disconnect();
    await api.close();
  });

  const publisher = (): RulePublisher => api.app.get(RulePublisher, { strict: false });
  const board = (): RuleBoard => api.app.get(RuleBoard, { strict: false });

  it('reads the whole set once for many who ask at once, and not at all when it is up', async () => {
    await publisher().putUp();
    const version = await api.app.get(RuleSetRepository, { strict: false }).version();
    await redis.del(REDIS.rules, REDIS.rulesVersion);
    hints.length = 0;
    await Promise.all(Array.from({ length: 100 }, () => publisher().putUp()));
    // Hints come in order: when the marker is here, all before it are.
    await redis.publish(CHANNELS.rules, JSON.stringify({ version: 999_999 }));
    for (let tries = 0; hints.at(-1) !== 999_999 && tries < 400; tries++) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(hints).toEqual([version, 999_999]);
    expect((await board().get())?.version).toBe(version);
  });

  it('puts the rules up again when the set alone was lost, or an older one took its place', async () => {
    const version = await board().version();
    await redis.del(REDIS.rules);
    expect(await board().version()).toBeNull();
    await publisher().putUp();
    expect((await board().get())?.version).toBe(version);
    await board().put({ v: 1, version: 0, objects: [], keywords: [], zones: [], signals: [] });
    await publisher().putUp();
    expect((await board().get())?.version).toBe(version);
  });

  it('has the last of many changes at once when all are answered', async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => api.call('POST', '/api/keywords', admin, { pattern: `burst ${index}` })),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(201));
    expect((await board().get())?.keywords).toHaveLength(20);
  });

  it('carries the signals that are on, each with its words for people', async () => {
    const { body } = await api.call('GET', '/api/signals', agent);
    const items = body['items'] as Record<string, unknown>[];
    expect(items.map(({ signal }) => signal)).toEqual([
      'audio_lost',
      'clipping',
      'dead_air',
      'hostile_chat',
      'loudness_jump',
      'speech_activity',
    ]);
    for (const { title, description } of items) expect([String(title), String(description)].join('')).toMatch(/\w+/);
    const before = await board().get();
    expect(before?.signals.map(({ signal }) => signal)).not.toContain('speech_activity');
    const path = '/api/signals/speech_activity';
    const changed = await api.call('PATCH', path, admin, { enabled: true, severity: 'high', cooldownMs: 1_000 });
    expect(changed).toMatchObject({ status: 200, body: { version: 2, enabled: true } });
    const after = await board().get();
    expect(after?.signals).toContainEqual({ signal: 'speech_activity', severity: 'high', cooldownMs: 1_000 });
    expect(after?.version).toBe((before?.version ?? 0) + 1);
    expect((await api.call('GET', '/api/signals/unheard_of', agent)).status).toBe(404);
    expect((await api.call('PATCH', path, admin, { signal: 'dead_air' })).status).toBe(400);
    expect((await api.call('PATCH', path, admin, {})).status).toBe(200);
  });

  it('tells what the monitors can find, each detector once', async () => {
    const detector = { id: 'yolo', title: 'Objects', options: { model: {} }, detail: '', model: 'a.onnx' };
    const monitor = (monitorId: string, at: number, detectors: MonitorHeartbeat['detectors']): MonitorHeartbeat => ({
      v: 1,
      monitorId,
      host: 'h',
      pid: 1,
      version: '0',
      startedAt: 0,
      at,
      capacity: 1,
      platforms: [],
      proxies: [],
      chatSources: [],
      detectors,
      spool: { pending: 0, bytes: 0, shedFrames: 0, shedRecords: 0 },
      egress: { refused: 0, requests: 0, bytes: 0 },
      sessions: [],
    });
    const directory = new MonitorDirectory(redis);
    await directory.announce(monitor('m1', 1, [{ ...detector, state: 'ready', labels: ['person', 'car'] }]), 60_000);
    const other = { ...detector, title: 'Objects 2', state: 'degraded', detail: 'no model', model: null } as const;
    await directory.announce(monitor('m2', 2, [{ ...other, labels: ['car', 'dog'] }]), 60_000);
    const { body } = await api.call('GET', '/api/detectors', agent);
    expect(body['items']).toEqual([
      {
        id: 'yolo',
        title: 'Objects 2',
        options: { model: {} },
        state: 'degraded',
        labels: ['car', 'dog', 'person'],
        monitors: [
          { monitorId: 'm2', state: 'degraded', detail: 'no model', model: null },
          { monitorId: 'm1', state: 'ready', detail: '', model: 'a.onnx' },
        ],
      },
    ]);
  });
});
