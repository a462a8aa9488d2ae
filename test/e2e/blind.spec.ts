import { join } from 'node:path';
import { makeClip, photoOfPeople } from './clips.js';
import { onAir, type FixtureOrigin } from './fixture-origin.js';
import { Vigil, eventually, must, type Person } from './vigil.js';

/** Real: Postgres, Redis, both apps as processes, ffmpeg, a live HLS stream, `kill -9`. */
describe('a monitor that is killed', () => {
  let origin: FixtureOrigin;
  let vigil: Vigil;

  beforeAll(async () => {
    const plan = { photo: photoOfPeople(), photoSeconds: 4, plainSeconds: 0 };
    origin = await onAir((ffmpeg, folder) => makeClip(ffmpeg, join(folder, 'clip.mp4'), plan));
    const env = {
      COVERAGE_REPORT_MS: '1000',
      COVERAGE_CHECK_MS: '300',
      BLIND_AFTER_MS: '6000',
      CAPTURE_LOCK_MS: '2000',
    };
    vigil = await Vigil.start({ allow: [origin.address], env });
  }, 90_000);

  afterAll(async () => {
    await (vigil as Vigil | undefined)?.stop();
    await (origin as FixtureOrigin | undefined)?.end();
  }, 60_000);

  it('leaves a gap with its reason and its length, and people hear of it while it lasts', async () => {
    const admin = await vigil.admin();
    const ann = await vigil.agent(admin, 'ann');
    const id = await vigil.stream(admin, 'camera', origin.url);
    must(await admin.client.PATCH('/api/streams/{id}', { params: { path: { id } }, body: { parts: ['video'] } }));
    must(await admin.client.POST('/api/assignments', { body: { streamId: id, agentId: ann.id } }));
    const ears = await vigil.listen(ann);
    const stretches = async (person: Person) =>
      must(await person.client.GET('/api/streams/{id}/coverage', { params: { path: { id } } })).items;
    /** Waits until it has been watched for some seconds, after so many gaps of one reason. */
    const watched = (reason: string | null): Promise<true> =>
      eventually(
        async () => {
          const items = await stretches(ann);
          const last = items.at(-1);
          const before = reason === null || items.some((item) => item.reason === reason);
          return before && last?.state === 'watched' && last.ms > 3_000 ? true : null;
        },
        60_000,
        () => 'the stream was not watched',
      );
    await vigil.startMonitoring(admin, id);
    await watched(null);

    vigil.monitor.kill('SIGKILL');
    await vigil.monitor.exited;
    const killedAt = Date.now();
    const said = (title: string): Promise<string> =>
      eventually(
        () => Promise.resolve(ears.notifications.find((one) => one.title === title)?.body ?? null),
        60_000,
        () => `nobody heard "${title}"`,
      );
    expect(await said('Not watched: camera')).toContain('nothing is heard of its monitor any more');
    const startedAt = Date.now();
    await vigil.monitor.start();
    expect(await said('No longer blind: camera')).toMatch(/^The picture is watched again; it was not watched for \d+/);
    await watched('crash');

    const items = await stretches(ann);
    const gap = items.findIndex(({ reason }) => reason === 'crash');
    const [before, crash] = [items[gap - 1], items[gap]];
    process.stderr.write(`coverage of a stream whose monitor was killed: ${JSON.stringify(items)}\n`);
    expect(before?.state).toBe('watched');
    // What the monitor had not told when it died is not known to have been watched.
    expect(Date.parse(crash?.from ?? '')).toBeLessThanOrEqual(killedAt);
    expect(Date.parse(crash?.to ?? '')).toBeGreaterThanOrEqual(startedAt);
    expect(crash?.ms).toBeGreaterThan(6_000);
    expect(ears.notifications.filter(({ title }) => title === 'Not watched: camera')).toHaveLength(1);
  }, 180_000);
});
