import { z } from 'zod';
import { CaptureWorker } from '#libs/bus/capture-worker.js';
import { MonitorDirectory } from '#libs/bus/monitor-directory.js';
import { connectRedis } from '#libs/bus/redis.js';
import { MonitorHeartbeat } from '#libs/contracts/monitors.js';
import { createLogger } from '#libs/observability/logger.js';
import { goldenFixture } from '#libs/testing/golden-fixtures.js';
import { Claims } from '../../apps/monitor/src/capacity/claims.js';
import { Heartbeat } from '../../apps/monitor/src/heartbeat.js';

/** Streams that one of these has room for. */
const CAPACITY = 60;

/**
 * A monitor without ffmpeg, as a process: the true claims, leases, directory and queue; a stand-in for watching, which
 * prints when it begins and ends. Arguments: Redis, name, lease in ms.
 */
const [url = '', monitorId = '', lockMs = ''] = process.argv.slice(2);
const logger = createLogger('capture-monitor', 'silent');
const redis = connectRedis(url, 'test', logger);
const golden = MonitorHeartbeat.parse(goldenFixture('monitors', 'MonitorHeartbeat'));
const [session] = golden.sessions;
const startedAt = Date.now();
const say = (event: string, streamId: string, detail: unknown = ''): void =>
  void process.stdout.write(`${JSON.stringify({ event, streamId, detail, at: Date.now(), monitorId })}\n`);
const own = (): MonitorHeartbeat => {
  const sessions = worker.jobs.flatMap(({ streamId }) => (session === undefined ? [] : { ...session, streamId }));
  const room = CAPACITY - sessions.length;
  const load = {
    ...{ cpu: 0, ownCores: 0, memoryFreeMb: 9_000, rssMb: 1, heapMb: 1, eventLoopP99Ms: 1, inference: null },
    ...{ room, limitedBy: 'setting' as const, detail: '' },
  };
  return { ...golden, monitorId, startedAt, at: Date.now(), capacity: CAPACITY, load, sessions };
};
const directory = new MonitorDirectory(redis);
const claims = new Claims({ directory, own, detectors: { video: 'yolo', speech: 'none' }, now: Date.now, logger });
const worker: CaptureWorker = new CaptureWorker(
  connectRedis(url, 'captures', logger),
  async ({ streamId }, signal) => {
    say('began', streamId);
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    say('ended', streamId, signal.reason);
  },
  { lockMs: z.coerce.number().parse(lockMs), rules: claims },
  logger,
);
const heartbeat = new Heartbeat(directory, own, logger);
process.once('SIGTERM', () => {
  void (async () => {
    await heartbeat.stop();
    await worker.close();
    await claims.stop();
    process.exit(0);
  })();
});
await heartbeat.start();
await claims.start(worker);
worker.start();
say('ready', '');
