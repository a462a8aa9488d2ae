import { join } from 'node:path';
import { z } from 'zod';
import { connectRedis } from '#libs/bus/redis.js';
import { loadSettings } from '#libs/config/environment.js';
import { setting } from '#libs/config/settings.js';
import { createLogger } from '#libs/observability/logger.js';
import { makeClip, photoOfPeople } from './clips.js';
import { onAir, type FixtureOrigin } from './fixture-origin.js';
import { Vigil, eventually, must } from './vigil.js';

/** Events that must wait in the spool before Redis is wiped. */
const BACKLOG = 6;

/** What became of the events. */
interface Outcome {
  /** Events whose evidence the monitor wrote while the api was down. */
  seen: number;
  /** Of those, how many never became a row. */
  lost: number;
  /** Rows beyond one for each event. */
  doubled: number;
}

/** Real: Postgres, Redis, both apps as processes, ffmpeg, the model, `kill -9`, FLUSHALL. */
describe('a backlog in the spool', () => {
  let origin: FixtureOrigin;

  beforeAll(async () => {
    const plan = { photo: photoOfPeople(), photoSeconds: 3, plainSeconds: 5 };
    origin = await onAir((ffmpeg, folder) => makeClip(ffmpeg, join(folder, 'clip.mp4'), plan));
  }, 60_000);

  afterAll(async () => {
    await (origin as FixtureOrigin | undefined)?.end();
  });

  /** Kills the api, lets events pile up, wipes Redis, and brings the api back. */
  async function wipeRedisWithABacklog(clearOn: 'commit' | 'send'): Promise<Outcome> {
    const vigil = await Vigil.start({ allow: [origin.address], env: { SPOOL_CLEAR_ON: clearOn } });
    try {
      const admin = await vigil.admin();
      const rule = { label: 'person', threshold: 0.4, severity: 'high' as const, cooldownMs: 0 };
      must(await admin.client.POST('/api/objects', { body: rule }));
      const streams = await Promise.all([1, 2, 3].map((n) => vigil.stream(admin, `camera ${n}`, origin.url)));
      for (const id of streams) await vigil.startMonitoring(admin, id);
      for (const id of streams) await vigil.status(admin, id, (status) => status === 'live');

      vigil.api.kill('SIGKILL');
      await vigil.api.exited;
      const before = await vigil.evidenceIds();
      const piledUp = async (): Promise<Set<string> | null> => {
        const ids = [...(await vigil.evidenceIds())].filter((id) => !before.has(id));
        return ids.length >= BACKLOG ? new Set(ids) : null;
      };
      const backlog = await eventually(piledUp, 90_000, () => 'too few events happened while the api was down');

      const { REDIS_URL } = loadSettings({ REDIS_URL: setting(z.url(), 'Redis for the tests') });
      const redis = connectRedis(REDIS_URL, 'test', createLogger('test', 'silent'));
      await redis.flushall();
      redis.disconnect();
      await vigil.api.start();
      const again = await vigil.admin();

      const rows = async (): Promise<string[]> => {
        const page = must(await again.client.GET('/api/detections', { params: { query: { limit: 200 } } }));
        return page.items.map(({ id }) => id);
      };
      // A later event follows the backlog through the same spool: once its row is there, so is the backlog, or never.
      await eventually(
        async () => ((await rows()).some((id) => !backlog.has(id) && !before.has(id)) ? true : null),
        60_000,
        () => 'no event was stored after the api came back',
      );
      const stored = await rows();
      const lost = [...backlog].filter((id) => !stored.includes(id)).length;
      return { seen: backlog.size, lost, doubled: stored.length - new Set(stored).size };
    } finally {
      await vigil.stop();
    }
  }

  it('outlives a wiped Redis: no detection lost, none doubled', async () => {
    const outcome = await wipeRedisWithABacklog('commit');
    process.stderr.write(`Redis wiped with a backlog, watermark on: ${JSON.stringify(outcome)}\n`);
    expect(outcome.seen).toBeGreaterThanOrEqual(BACKLOG);
    expect(outcome).toMatchObject({ lost: 0, doubled: 0 });
  }, 240_000);

  it('would not without the watermark: the same faults lose detections', async () => {
    const outcome = await wipeRedisWithABacklog('send');
    process.stderr.write(`Redis wiped with a backlog, watermark off: ${JSON.stringify(outcome)}\n`);
    expect(outcome.lost).toBeGreaterThan(0);
  }, 240_000);
});
