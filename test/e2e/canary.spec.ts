import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadSettings } from '#libs/config/environment.js';
import { monitorSettings } from '#libs/config/shared.settings.js';
import { findFfmpeg } from '../../apps/monitor/src/capture/ffmpeg-binary.js';
import { Vigil, eventually, must, type Ears, type Person } from './vigil.js';

/** Real: Postgres, Redis, both apps as processes, the detector, ffmpeg, `kill -9`. No stream of anybody's. */
describe('the canary', () => {
  let vigil: Vigil;
  let admin: Person;
  let ears: Ears;
  let folder: string;
  /** While this file is there, ffmpeg fails. */
  let broken: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'vigil-canary-e2e-'));
    broken = join(folder, 'broken');
    const ffmpeg = join(folder, 'ffmpeg');
    const real = await findFfmpeg(loadSettings({ FFMPEG_PATH: monitorSettings.FFMPEG_PATH }).FFMPEG_PATH);
    await writeFile(ffmpeg, `#!/bin/sh\n[ -e '${broken}' ] && exit 1\nexec '${real}' "$@"\n`);
    await chmod(ffmpeg, 0o755);
    const env = { CANARY_INTERVAL_MS: '2000', CANARY_GRACE_MS: '4000', MONITOR_ID: 'm1', FFMPEG_PATH: ffmpeg };
    vigil = await Vigil.start({ allow: [], env });
    admin = await vigil.admin();
    ears = await vigil.listen(admin);
  }, 90_000);

  afterAll(async () => {
    await (vigil as Vigil | undefined)?.stop();
    await rm(folder, { recursive: true, force: true });
  }, 60_000);

  const canary = async () => must(await admin.client.GET('/api/canary'));
  const said = (title: string, after = 0): Promise<string> =>
    eventually(
      () => Promise.resolve(ears.notifications.slice(after).find((one) => one.title === title)?.body ?? null),
      90_000,
      () => `nobody heard "${title}", but ${JSON.stringify(ears.notifications.map((one) => [one.title, one.body]))}`,
    );

  it('comes out of a monitor, and an alarm when it does not, and when there is no monitor any more', async () => {
    const run = await eventually(
      async () => (await canary()).runs.find(({ parts }) => parts.length === 4) ?? null,
      60_000,
      () => 'no run was complete',
    );
    process.stderr.write(`canary: ${JSON.stringify(run)}\n`);
    const [video, audio, speech, chat] = run.parts;
    for (const part of [video, audio, chat]) {
      expect(part?.outcome).toBe('found');
      expect(part?.commitMs).toBeGreaterThan(0);
      expect(part?.toldMs).toBeGreaterThanOrEqual(part?.commitMs ?? Infinity);
    }
    expect(speech?.outcome).toBe('unproven');
    const monitors = must(await admin.client.GET('/api/monitors')).items;
    expect(monitors[0]).toMatchObject({ monitorId: 'm1', sessions: [], canary: { parts: { length: 4 } } });

    await writeFile(broken, '');
    expect(await said('Canary fails: monitor m1')).toMatch(/^What was planted in the picture was not found at /);
    await rm(broken);
    expect(await said('Canary sings again: monitor m1')).toMatch(/^The picture, the sound work again/);

    const before = ears.notifications.length;
    vigil.monitor.kill('SIGKILL');
    await vigil.monitor.exited;
    expect(await said('Canary fails: monitor m1', before)).toContain('nothing is heard of it any more');
    await vigil.monitor.start();
    expect(await said('Canary sings again: monitor m1', before)).toMatch(/^Its canary works again/);
    expect(ears.notifications.map(({ title }) => title)).toEqual([
      ...['Canary fails: monitor m1', 'Canary sings again: monitor m1'],
      ...['Canary fails: monitor m1', 'Canary sings again: monitor m1'],
    ]);

    // Nothing of it all is anybody's.
    expect(ears.detections).toEqual([]);
    expect(ears.statuses).toEqual([]);
    for (const list of ['/api/detections', '/api/streams'] as const) {
      expect(must(await admin.client.GET(list, {})).items).toEqual([]);
    }
  }, 240_000);
});
