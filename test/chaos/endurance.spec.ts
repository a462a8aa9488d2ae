import { endurance } from './endurance.js';
import { House } from './house.js';

/** Real: Postgres, Redis, both apps, ffmpeg, live HLS streams. The long form is `npm run test:chaos -- endurance`. */
describe('streams that are restarted again and again', () => {
  let house: House;

  beforeAll(async () => {
    house = await House.open();
  }, 60_000);
  afterAll(async () => {
    await (house as House | undefined)?.close();
  }, 60_000);

  it('leave no descriptor and no process behind', async () => {
    const say = (): void => undefined;
    const figures = await endurance(house, { streams: 4, seconds: 10, restartSeconds: 2, say });
    process.stderr.write(`endurance: ${JSON.stringify(figures)}\n`);
    expect(figures.restarts).toBeGreaterThan(6);
    expect(figures.children[1]).toBeLessThanOrEqual(figures.streams + 1);
    // Six of each ffmpeg: its pipes and its connections to the proxy. So few restarts tell nothing about memory.
    expect(figures.descriptors[1] - figures.descriptors[0]).toBeLessThan(3 * figures.streams);
    expect(figures.loopP99Ms).toBeGreaterThanOrEqual(0);
  }, 120_000);
});
