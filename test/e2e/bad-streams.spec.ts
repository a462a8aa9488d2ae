import { BadOrigins } from '../chaos/bad-origins.js';
import { badStreams } from '../chaos/bad-streams.js';
import { Vigil } from './vigil.js';

/**
 * Real: Postgres, Redis, both apps, ffmpeg. The hostile origins are HTTP servers on loopback that lie on purpose. The
 * bars of the time to recover and of the neighbours' pictures belong to `npm run test:chaos -- bad-streams`.
 */
describe('streams that cannot be watched', () => {
  let origins: BadOrigins;
  let neighbour: string;
  let vigil: Vigil;

  beforeAll(async () => {
    origins = await BadOrigins.open();
    neighbour = await origins.neighbour();
    vigil = await Vigil.start({ allow: origins.hosts });
  }, 120_000);

  afterAll(async () => {
    await (vigil as Vigil | undefined)?.stop();
    await (origins as BadOrigins | undefined)?.close();
  }, 60_000);

  it('are said to be so, are watched soon after they are mended, and do their neighbours no harm', async () => {
    const { client } = await vigil.admin();
    const watchers = { client, monitorPid: () => vigil.monitor.pid };
    const outcome = await badStreams(watchers, origins, neighbour, { beforeSeconds: 6, badSeconds: 10 });
    process.stderr.write(`${JSON.stringify(outcome)}\n`);
    expect(outcome.cases.length).toBeGreaterThanOrEqual(20);
    expect(outcome.cases.filter(({ fits }) => !fits)).toEqual([]);
    expect(outcome.trespasses).toBe(0);
    // Without a budget a playlist that names itself alone makes some 7,000 requests a second.
    expect(outcome.requests).toBeLessThan(10_000);
    // None of them waited for a minute's circuit.
    expect(outcome.slowestSeconds).toBeLessThan(30);
    expect(outcome.neighbours.share).toBeGreaterThan(0.7);
  }, 240_000);
});
