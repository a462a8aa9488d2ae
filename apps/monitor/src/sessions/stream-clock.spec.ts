import { StreamClock } from './stream-clock.js';

describe('StreamClock', () => {
  it('counts from the first frame, whatever the source calls it', () => {
    const clock = new StreamClock(() => 1_000);
    expect(clock.at(95_000, 1_500)).toEqual({ streamTimeMs: 0, wallTimeMs: 1_500 });
    expect(clock.at(97_000, 3_500)).toEqual({ streamTimeMs: 2_000, wallTimeMs: 3_500 });
  });

  it('lays frames of a burst where they belong, and none later than it arrived', () => {
    const clock = new StreamClock(() => 0);
    const arrivals = [
      [0, 4_000],
      [1_000, 4_000],
      [2_000, 5_000],
      [3_000, 5_000],
      [4_000, 7_000],
      [5_000, 7_000],
    ] as const;
    const times = arrivals.map(([pts, at]) => clock.at(pts, at).wallTimeMs);
    times.forEach((time, index) => expect(time).toBeLessThanOrEqual(arrivals[index]?.[1] ?? 0));
    expect((times[5] ?? 0) - (times[3] ?? 0)).toBeCloseTo(2_000, -2);
  });

  it('goes on at the wall time that has passed when the capture restarts with another clock', () => {
    let now = 0;
    const clock = new StreamClock(() => now);
    clock.at(500_000, 0);
    clock.at(510_000, 10_000);
    now = 25_000;
    clock.restart();
    expect(clock.at(7, 25_000).streamTimeMs).toBe(25_000);
    expect(clock.at(1_007, 26_000).streamTimeMs).toBe(26_000);
  });

  it('never goes backwards and takes no leap with a source that jumps', () => {
    const clock = new StreamClock(() => 0);
    clock.at(0, 0);
    clock.at(5_000, 5_000);
    expect(clock.at(1_000, 6_000).streamTimeMs).toBe(5_000);
    expect(clock.at(2_000, 7_000).streamTimeMs).toBe(6_000);
    expect(clock.at(9_000_000, 8_000).streamTimeMs).toBe(6_000);
  });

  it('follows a source whose clock runs slow', () => {
    const clock = new StreamClock(() => 0);
    let last = 0;
    for (let second = 0; second <= 100_000; second += 10) {
      const arrival = second * 1_000 * 1.0001;
      last = arrival - clock.at(second * 1_000, arrival).wallTimeMs;
    }
    expect(last).toBeLessThan(100);
  });

  it('leads from a moment of the stream to its wall time and back', () => {
    const clock = new StreamClock(() => 1_000);
    expect(clock.streamOf(3_500)).toBe(2_500);
    clock.at(95_000, 4_000);
    clock.at(97_000, 5_500);
    expect(clock.streamOf(clock.wallOf(1_200))).toBe(1_200);
    expect(clock.streamOf(5_500)).toBe(2_000);
  });
});
