import { Backoff } from './backoff.js';

describe('Backoff', () => {
  it('doubles the ceiling up to a minute and jitters over all of it', () => {
    const ceilings = new Backoff(() => 1, { failures: 100 });
    const spaced = Array.from({ length: 9 }, (_, index) => ceilings.failed(index * 1e6, 0).delayMs);
    expect(spaced).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]);
    expect(new Backoff(() => 0).failed(0, 0).delayMs).toBe(0);
    expect(new Backoff(() => 0.5).failed(0, 0).delayMs).toBe(500);
  });

  it('opens the circuit at the fifth failure within a minute', () => {
    const backoff = new Backoff(() => 0);
    const open = [0, 1, 2, 3, 4].map((second) => backoff.failed(second * 1_000, 0).circuitOpen);
    expect(open).toEqual([false, false, false, false, true]);
    expect(backoff.failed(5_000, 0).delayMs).toBe(60_000);
  });

  it('keeps the circuit closed when failures are further apart', () => {
    const backoff = new Backoff(() => 0);
    const open = Array.from({ length: 10 }, (_, index) => backoff.failed(index * 15_001, 0).circuitOpen);
    expect(open).not.toContain(true);
  });

  it('starts over after a healthy run, but not after a short one', () => {
    const backoff = new Backoff(() => 1);
    backoff.failed(0, 0);
    backoff.failed(100_000, 59_999);
    expect(backoff.failed(200_000, 59_999).delayMs).toBe(4_000);
    expect(backoff.failed(300_000, 60_000).delayMs).toBe(1_000);
  });
});
