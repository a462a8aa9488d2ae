import { House } from './house.js';
import { absentRedis, fullSpool, mixedKills, wipedRedis } from './scenarios.js';

const say = (what: string, figures: object): void => void process.stderr.write(`${what}: ${JSON.stringify(figures)}\n`);

/** Real: Postgres, Redis, api and the spool and shipper of monitors, each a process, and `kill -9`. Small amounts. */
describe('facts outlive', () => {
  let house: House;

  beforeAll(async () => {
    house = await House.open();
  }, 60_000);
  afterAll(async () => {
    await (house as House | undefined)?.close();
  }, 60_000);

  it('kill -9 of a monitor, Redis, the api and Postgres', async () => {
    const outcome = await mixedKills(house, { seconds: 5, rate: 400, everyMs: 1_000 });
    say('mixed kills', outcome);
    expect(outcome).toMatchObject({ lost: 0, doubled: 0, kills: { monitor: 1, redis: 1, api: 1, postgres: 1 } });
    expect(outcome.kept).toBeGreaterThan(1_000);
  }, 120_000);

  it('a Redis that is emptied while nobody reads', async () => {
    const outcome = await wipedRedis(house, { wipes: 2, each: 300 });
    say('wiped Redis', outcome);
    expect(outcome).toMatchObject({ lost: 0, doubled: 0 });
    expect(outcome.kept).toBeGreaterThanOrEqual(600);
  }, 120_000);

  it('a Redis that is away', async () => {
    const outcome = await absentRedis(house, { seconds: 2, rate: 500 });
    say('absent Redis', outcome);
    expect(outcome).toMatchObject({ lost: 0, doubled: 0 });
    expect(outcome.waited).toBeGreaterThan(500);
  }, 120_000);

  it('a full spool: every drop is counted, pictures go before records', async () => {
    const outcome = await fullSpool(house, { findings: 4_000 });
    say('full spool', outcome);
    expect(outcome).toMatchObject({ made: 4_000, uncounted: 0, framesWentFirst: true });
    expect(outcome.stored).toBeGreaterThan(500);
    expect(outcome.shedRecords).toBeGreaterThan(500);
  }, 120_000);
});
