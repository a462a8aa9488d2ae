import fc from 'fast-check';
import { Renewal } from './renewal.js';

const MINUTE = 60_000;

describe('Renewal', () => {
  let now = 0;
  beforeEach(() => {
    now = 1_000_000;
  });
  const renewal = (random = 0): Renewal =>
    new Renewal(
      () => now,
      () => random,
    );

  it('never asks for what does not expire', () => {
    const it = renewal();
    expect(it.waitMs()).toBeNull();
    it.resolved(now + MINUTE);
    it.resolved(null);
    expect(it.waitMs()).toBeNull();
    it.failed();
    expect(it.waitMs()).toBeNull();
  });

  it.each([
    [0, 16 * MINUTE],
    [0.5, 15 * MINUTE],
  ])('renews a playback of 20 minutes a fifth of its life before its end, or earlier by chance %d', (random, wait) => {
    const it = renewal(random);
    it.resolved(now + 20 * MINUTE);
    expect(it.waitMs()).toBe(wait);
    now += wait;
    expect(it.waitMs()).toBe(0);
  });

  it('leaves ten minutes at most', () => {
    const it = renewal();
    it.resolved(now + 360 * MINUTE);
    expect(it.waitMs()).toBe(350 * MINUTE);
  });

  it('waits a little after a failure, and when the end lies in the past', () => {
    const it = renewal(0.5);
    it.resolved(now - MINUTE);
    expect(it.waitMs()).toBe(15_000);
    now += 15_000;
    it.failed();
    expect(it.waitMs()).toBe(30_000);
  });

  it('always comes before the end of whatever lives longer than the least wait', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 15_001, max: 1e9 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (life, random) => {
          const it = renewal(random);
          it.resolved(now + life);
          expect(it.waitMs()).toBeGreaterThanOrEqual(15_000);
          expect(it.waitMs()).toBeLessThan(life);
        },
      ),
    );
  });
});
