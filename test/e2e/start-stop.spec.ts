import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { SOUND_SECONDS, makeClip, makeSound, photoOfPeople } from './clips.js';
import { onAir, type FixtureOrigin } from './fixture-origin.js';
import { Vigil, eventually, type Person } from './vigil.js';

/** Streams that are started and stopped together, and how often: 200 cycles. */
const [STREAMS, ROUNDS] = [10, 20];
/** Rounds before the first measurement, within which caches and compiled code settle. */
const SETTLING = 8;

/** What a process holds. */
interface Holdings {
  descriptors: number;
  rssMb: number;
}

async function holdingsOf(pid: number | null): Promise<Holdings> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const rssMb = Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) / 1024;
  return { descriptors: (await readdir(`/proc/${pid}/fd`)).length, rssMb };
}

/** Real: Postgres, Redis, both apps, ffmpeg, a live HLS stream with sound. */
describe('starting and stopping', () => {
  let origin: FixtureOrigin;
  let vigil: Vigil;
  let admin: Person;
  let ids: string[];

  beforeAll(async () => {
    origin = await onAir(async (ffmpeg, folder) => {
      const sound = await makeSound(ffmpeg, join(folder, 'sound.wav'), null);
      const plan = { photo: photoOfPeople(), photoSeconds: SOUND_SECONDS, plainSeconds: 0, sound };
      return makeClip(ffmpeg, join(folder, 'clip.mp4'), plan);
    });
    vigil = await Vigil.start({ allow: [origin.address] });
    admin = await vigil.admin();
    const names = Array.from({ length: STREAMS }, (_, index) => `camera ${index + 1}`);
    ids = await Promise.all(names.map((name) => vigil.stream(admin, name, origin.url)));
  }, 120_000);

  afterAll(async () => {
    await (vigil as Vigil | undefined)?.stop();
    await (origin as FixtureOrigin | undefined)?.end();
  }, 60_000);

  it(`leaves nothing behind after ${STREAMS * ROUNDS} cycles`, async () => {
    const history: Holdings[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      await Promise.all(ids.map((id) => vigil.startMonitoring(admin, id)));
      await Promise.all(ids.map((id) => vigil.status(admin, id, (status) => status === 'live', 60_000)));
      await Promise.all(ids.map((id) => vigil.stopMonitoring(admin, id)));
      await Promise.all(ids.map((id) => vigil.status(admin, id, (status) => status === 'stopped')));
      await eventually(
        async () => ((await vigil.ffmpegs()).length === 0 ? true : null),
        20_000,
        () => 'an ffmpeg was left behind',
      );
      history.push(await holdingsOf(vigil.monitor.pid));
    }
    const middle = (rows: Holdings[], of: keyof Holdings): number =>
      rows.map((row) => row[of]).sort((a, b) => a - b)[Math.floor(rows.length / 2)] ?? NaN;
    const [early, late] = [history.slice(SETTLING, SETTLING + 5), history.slice(-5)];
    const figures = {
      descriptors: [middle(early, 'descriptors'), middle(late, 'descriptors')] as const,
      rssMb: [middle(early, 'rssMb'), middle(late, 'rssMb')].map(Math.round),
    };
    process.stderr.write(`${STREAMS * ROUNDS} cycles, early and late: ${JSON.stringify(figures)}\n`);
    expect(figures.descriptors[1]).toBeLessThanOrEqual(figures.descriptors[0] + 2);
    expect(middle(late, 'rssMb') / middle(early, 'rssMb')).toBeLessThan(1.1);
  }, 480_000);
});
