import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { HintSubscriber } from '#libs/bus/channels.js';
import { InspectionBoard, InspectionDesk } from '#libs/bus/inspections.js';
import { connectRedis, type RedisConnection } from '#libs/bus/redis.js';
import type { InspectionRequest } from '#libs/contracts/inspections.js';
import type { DetectedObject } from '#libs/contracts/primitives.js';
import { createLogger } from '#libs/observability/logger.js';
import { testRedisUrl } from '#libs/testing/test-database.js';
import sharp from 'sharp';
import type { DetectorState, VideoDetector } from '../detectors/detector.port.js';
import { groupPhoto } from '../detectors/photo-frame.fixture.js';
import { Inspections } from './inspections.js';

const logger = createLogger('inspections', 'silent');

/** Finds what it is told to, after as long as it is told to. */
class Eye implements VideoDetector {
  readonly descriptor = { id: 'eye', title: 'Eye', options: {} };
  readonly frameFormat = { width: 64, height: 64, fit: 'letterbox-center', pad: 114 } as const;
  readonly looks: { sizes: [number, number, number]; spare: boolean }[] = [];
  at: Promise<unknown> = Promise.resolve();
  now: DetectorState['state'] = 'ready';
  running = 0;
  most = 0;

  state(): DetectorState {
    return { state: this.now, detail: 'as told', model: 'glass', labels: ['person'] };
  }
  start = (): Promise<void> => Promise.resolve();
  stop = (): Promise<void> => Promise.resolve();

  async inspect(
    frame: Parameters<VideoDetector['inspect']>[0],
    _minScore: number,
    signal?: AbortSignal,
    spare = false,
  ): Promise<DetectedObject[]> {
    this.looks.push({ sizes: [frame.pixels.length, frame.source.width, frame.source.height], spare });
    this.running += 1;
    this.most = Math.max(this.most, this.running);
    await this.at;
    this.running -= 1;
    signal?.throwIfAborted();
    return [{ label: 'person', score: 0.9, box: [1, 2, 3, 4] }];
  }
}

describe('single pictures', () => {
  const connections: RedisConnection[] = [];
  const started: Inspections[] = [];
  let redis: RedisConnection;
  let desk: InspectionDesk;
  let jpeg: Buffer;

  const connect = (name: string): RedisConnection => {
    const connection = connectRedis(testRedisUrl(11), name, logger);
    connections.push(connection);
    return connection;
  };

  beforeAll(async () => {
    jpeg = await sharp(await readFile(groupPhoto))
      .resize(320)
      .jpeg()
      .toBuffer();
  });
  beforeEach(async () => {
    redis = connect('test');
    await redis.flushdb();
    desk = new InspectionDesk(redis, new HintSubscriber(connect('desk'), logger));
  });
  afterEach(async () => {
    for (const one of started.splice(0)) await one.stop();
    for (const connection of connections.splice(0)) connection.disconnect();
  });

  async function monitor(
    eye = new Eye(),
    now: () => number = Date.now,
  ): Promise<{ eye: Eye; inspections: Inspections }> {
    const inspections = new Inspections(eye, new InspectionBoard(connect('board')), logger, now);
    started.push(inspections);
    await inspections.start(new HintSubscriber(connect('hints'), logger));
    return { eye, inspections };
  }

  const request = (changes: Partial<InspectionRequest> = {}): InspectionRequest => ({
    ...{ v: 1, id: randomUUID(), detector: null, minConfidence: 0.3, patienceMs: 10_000 },
    ...changes,
  });

  it('are looked at by one of several monitors, giving way to frames of streams', async () => {
    const [a, b] = [await monitor(), await monitor()];
    const answers = await Promise.all(Array.from({ length: 12 }, () => desk.ask(request(), jpeg)));
    expect(answers).toHaveLength(12);
    for (const answer of answers) {
      expect(answer).toMatchObject({
        outcome: 'inspected',
        detector: 'eye',
        model: 'glass',
        objects: [{ score: 0.9 }],
      });
    }
    const looks = [...a.eye.looks, ...b.eye.looks];
    expect(looks).toHaveLength(12);
    expect(looks.every(({ spare, sizes: [pixels, width] }) => spare && pixels === 64 * 64 * 3 && width === 320)).toBe(
      true,
    );
    expect(Math.max(a.eye.most, b.eye.most)).toBe(1);
    expect(await redis.keys('*')).toEqual([]);
  }, 30_000);

  it('that nobody takes are told from those that nobody answers, and none stays behind', async () => {
    expect(await desk.ask(request({ patienceMs: 50 }), jpeg)).toBe('untaken');
    const loading = await monitor();
    loading.eye.now = 'loading';
    expect(await desk.ask(request({ patienceMs: 50 }), jpeg)).toBe('untaken');
    loading.eye.now = 'ready';
    expect(await desk.ask(request({ patienceMs: 50, detector: 'ear' }), jpeg)).toBe('untaken');
    expect(loading.eye.looks).toEqual([]);
    let wake = (_: unknown): void => undefined;
    loading.eye.at = new Promise((resolve) => (wake = resolve));
    expect(await desk.ask(request({ patienceMs: 400 }), jpeg)).toBe('silent');
    wake(null);
    expect(await redis.keys('*')).toEqual([]);
  }, 30_000);

  it('that are none are answered with why, and the next one is looked at', async () => {
    const { eye, inspections } = await monitor();
    for (const bytes of [Buffer.from('no picture'), jpeg.subarray(0, 2_000), Buffer.alloc(100_000, 0xff)]) {
      expect(await desk.ask(request(), bytes)).toMatchObject({ outcome: 'failed' });
    }
    expect(await desk.ask(request(), jpeg)).toMatchObject({ outcome: 'inspected' });
    expect([eye.looks.length, inspections.stats]).toEqual([1, { inspected: 1, failed: 3, missed: 0, passed: 0 }]);
  }, 30_000);

  it('that wait beyond what one monitor takes on are left to others, and those given up are not looked at', async () => {
    const { eye, inspections } = await monitor();
    let wake = (_: unknown): void => undefined;
    eye.at = new Promise((resolve) => (wake = resolve));
    const first = desk.ask(request(), jpeg);
    while (eye.looks.length === 0) await new Promise((resolve) => setImmediate(resolve));
    const rest = await Promise.all(Array.from({ length: 20 }, () => desk.ask(request({ patienceMs: 200 }), jpeg)));
    expect(new Set(rest)).toEqual(new Set(['untaken']));
    expect(inspections.stats.passed).toBe(4);
    wake(null);
    expect(await first).toMatchObject({ outcome: 'inspected' });
    expect(await desk.ask(request(), jpeg)).toMatchObject({ outcome: 'inspected' });
    expect([eye.looks.length, inspections.stats.missed]).toEqual([2, 16]);
  }, 30_000);

  it('too large for Redis are refused before they get there', async () => {
    await expect(desk.ask(request(), Buffer.alloc(3_000_000))).rejects.toThrow();
    expect(await redis.keys('*')).toEqual([]);
  }, 30_000);
});
