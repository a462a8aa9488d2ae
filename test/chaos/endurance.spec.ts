import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { loadSettings } from '#libs/config/environment.js';
import { integer, setting } from '#libs/config/settings.js';
import { makeClip, photoOfPeople } from '../e2e/clips.js';
import { onAir, type FixtureOrigin } from '../e2e/fixture-origin.js';
import { Vigil, must, type Person } from '../e2e/vigil.js';

const { ENDURANCE_STREAMS, ENDURANCE_SECONDS, ENDURANCE_RESTART_SECONDS } = loadSettings({
  ENDURANCE_STREAMS: setting(
    integer(1, 500).default(4),
    'Streams that are watched and restarted; 50 for the long form.',
  ),
  ENDURANCE_SECONDS: setting(integer(5, 86_400).default(12), 'How long; 7200 for the long form.'),
  ENDURANCE_RESTART_SECONDS: setting(
    integer(1, 3_600).default(4),
    'Each stream is restarted this often; 20 for the long form.',
  ),
});
/** A run shorter than this tells leaks of descriptors and processes, not a slope of memory, s. */
const SLOPE_SECONDS = 240;

interface Sample {
  seconds: number;
  heapMb: number;
  loopP99Ms: number;
  descriptors: number;
  children: number;
}

/** Least-squares slope of values over seconds, per hour. */
function slopePerHour(samples: readonly Sample[], of: keyof Sample): number {
  const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [x, y] = [mean(samples.map(({ seconds }) => seconds)), mean(samples.map((sample) => sample[of]))];
  const cover = samples.reduce((sum, sample) => sum + (sample.seconds - x) * (sample[of] - y), 0);
  const spread = samples.reduce((sum, sample) => sum + (sample.seconds - x) ** 2, 0);
  return (cover / spread) * 3_600;
}

/** The least of each of ten spans: memory as it is after a collection. */
function troughs(samples: readonly Sample[], of: keyof Sample): Sample[] {
  const size = Math.max(1, Math.ceil(samples.length / 10));
  return Array.from({ length: Math.ceil(samples.length / size) }, (_, index) =>
    samples
      .slice(index * size, (index + 1) * size)
      .reduce((least, sample) => (sample[of] < least[of] ? sample : least)),
  );
}

/** Real: Postgres, Redis, both apps, ffmpeg, a live HLS stream. The long form is set by ENDURANCE_*. */
describe('streams that are restarted for a long time', () => {
  let origin: FixtureOrigin;
  let vigil: Vigil;
  let admin: Person;
  let ids: string[];

  beforeAll(async () => {
    origin = await onAir((ffmpeg, folder) =>
      makeClip(ffmpeg, join(folder, 'clip.mp4'), { photo: photoOfPeople(), photoSeconds: 10, plainSeconds: 10 }),
    );
    vigil = await Vigil.start({ allow: [origin.address] });
    admin = await vigil.admin();
    const names = Array.from({ length: ENDURANCE_STREAMS }, (_, index) => `camera ${index + 1}`);
    ids = await Promise.all(names.map((name) => vigil.stream(admin, name, origin.url)));
    for (const id of ids) await vigil.startMonitoring(admin, id);
    await Promise.all(ids.map((id) => vigil.status(admin, id, (status) => status === 'live', 120_000)));
  }, 240_000);

  afterAll(async () => {
    await (vigil as Vigil | undefined)?.stop();
    await (origin as FixtureOrigin | undefined)?.end();
  }, 60_000);

  it(
    'leave no descriptor, process or memory behind, and do not hold up the event loop',
    async () => {
      const samples: Sample[] = [];
      const startedAt = performance.now();
      const seconds = (): number => (performance.now() - startedAt) / 1_000;
      let restarts = 0;
      while (seconds() < ENDURANCE_SECONDS) {
        const streamId = ids[restarts % ids.length] ?? '';
        must(await admin.client.POST('/api/monitoring/restart', { body: { streamIds: [streamId] } }));
        restarts += 1;
        const due = (restarts * ENDURANCE_RESTART_SECONDS) / ENDURANCE_STREAMS;
        await wait(Math.max(0, due - seconds()) * 1_000);
        if (samples.length < Math.floor(seconds())) samples.push(await look(seconds()));
      }
      await Promise.all(ids.map((id) => vigil.status(admin, id, (status) => status === 'live', 60_000)));
      const settled = samples.slice(Math.floor(samples.length / 3));
      const middle = (of: keyof Sample, rows: Sample[]): number =>
        rows.map((row) => row[of]).sort((a, b) => a - b)[Math.floor(rows.length / 2)] ?? NaN;
      const [early, late] = [settled.slice(0, settled.length / 2), settled.slice(settled.length / 2)];
      const figures = {
        restarts,
        heapMbAtTroughs: troughs(settled, 'heapMb').map(({ heapMb }) => Math.round(heapMb * 10) / 10),
        heapMbPerHour: Math.round(slopePerHour(troughs(settled, 'heapMb'), 'heapMb') * 10) / 10,
        descriptors: [middle('descriptors', early), middle('descriptors', late)] as const,
        children: [middle('children', early), middle('children', late)] as const,
        loopP99Ms: middle('loopP99Ms', settled),
      };
      process.stderr.write(`${ENDURANCE_SECONDS} s, ${ENDURANCE_STREAMS} streams: ${JSON.stringify(figures)}\n`);
      expect(figures.children[1]).toBeLessThanOrEqual(ENDURANCE_STREAMS + 1);
      expect(figures.descriptors[1] / figures.descriptors[0]).toBeLessThan(1.25);
      if (ENDURANCE_SECONDS < SLOPE_SECONDS) return;
      expect(figures.descriptors[1] / figures.descriptors[0]).toBeLessThan(1.05);
      expect(figures.loopP99Ms).toBeLessThan(50);
      // An hour's slope needs hours; of minutes a leak of 5 kB for each restart is what can be told from noise.
      expect(figures.heapMbPerHour / ((restarts / ENDURANCE_SECONDS) * 3_600)).toBeLessThan(0.005);
    },
    (ENDURANCE_SECONDS + 120) * 1_000,
  );

  async function look(seconds: number): Promise<Sample> {
    const [monitor] = must(await admin.client.GET('/api/monitors')).items;
    const [descriptors, ffmpegs] = [await readdir(`/proc/${vigil.monitor.pid}/fd`), await vigil.ffmpegs()];
    return {
      seconds,
      heapMb: monitor?.load?.heapMb ?? NaN,
      loopP99Ms: monitor?.load?.eventLoopP99Ms ?? NaN,
      descriptors: descriptors.length,
      children: ffmpegs.length,
    };
  }
});
