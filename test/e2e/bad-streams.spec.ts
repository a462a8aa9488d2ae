import { BadOrigins } from '../chaos/bad-origins.js';
import { badStreams } from '../chaos/bad-streams.js';
import { HlsOrigin } from '#libs/testing/hls-origin.js';
import { paceOf, unavailable, watchAll } from '../chaos/origin-down.js';
import { eventually, Vigil, type Person } from './vigil.js';

/**
 * Real: Postgres, Redis, both apps, ffmpeg. The hostile origins are HTTP servers on loopback that lie on purpose. The
 * bars of the time to recover and of the neighbours' pictures belong to `npm run test:chaos -- bad-streams`.
 */
describe('streams that cannot be watched', () => {
  let origins: BadOrigins;
  let neighbour: string;
  let vigil: Vigil;
  let admin: Person;
  /** Down from the start. */
  let down: HlsOrigin;

  beforeAll(async () => {
    origins = await BadOrigins.open();
    neighbour = await origins.neighbour();
    down = await HlsOrigin.start();
    vigil = await Vigil.start({ allow: [...origins.hosts, down.host] });
    admin = await vigil.admin();
  }, 120_000);

  afterAll(async () => {
    await (vigil as Vigil | undefined)?.stop();
    await (origins as BadOrigins | undefined)?.close();
    await (down as HlsOrigin | undefined)?.stop();
  }, 60_000);

  it('are said to be so, are watched soon after they are mended, and do their neighbours no harm', async () => {
    const watchers = { client: admin.client, monitorPid: () => vigil.monitor.pid };
    const outcome = await badStreams(watchers, origins, neighbour, { beforeSeconds: 6, badSeconds: 10 });
    process.stderr.write(`${JSON.stringify(outcome)}\n`);
    expect(outcome.cases.length).toBeGreaterThanOrEqual(20);
    expect(outcome.cases.filter(({ fits }) => !fits)).toEqual([]);
    expect(outcome.trespasses).toBe(0);
    // Without a budget a playlist that names itself alone makes some 7,000 requests a second.
    expect(outcome.requests).toBeLessThan(10_000);
    // None of them waited for a minute's circuit.
    expect(outcome.slowestSeconds).toBeLessThan(30);
    // What silence alone would have ended takes 20 s.
    const turned = outcome.cases.filter(({ said }) => said === 'live').map(({ recoverySeconds }) => recoverySeconds);
    expect(Math.max(...turned)).toBeLessThan(20);
    expect(outcome.neighbours.share).toBeGreaterThan(0.7);
  }, 240_000);

  it('start about once a second together, not in step, when fifty are of one origin that is down', async () => {
    const starts = unavailable(down);
    await watchAll(admin.client, down.url('/live.m3u8'), 50);
    await eventually(
      () => Promise.resolve(starts.length >= 12 ? true : null),
      60_000,
      () => `there were ${starts.length} starts`,
    );
    const first = starts[0] ?? 0;
    const pace = paceOf(starts, (Date.now() - first) / 1_000);
    process.stderr.write(`${JSON.stringify(pace)}\n`);
    expect(pace.mostInTenSeconds).toBeLessThanOrEqual(11);
    expect(pace.spread).toBeGreaterThan(0.05);
  }, 120_000);
});
