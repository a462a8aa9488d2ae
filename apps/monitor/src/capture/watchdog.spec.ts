import type { Clock } from './clock.js';
import { doubtLimit, stallLimit, Watchdog } from './watchdog.js';

/** Time that passes when told to. */
class StepClock implements Clock {
  private readonly timers = new Map<number, { at: number; action: () => void }>();
  private time = 0;
  private id = 0;
  now(): number {
    return this.time;
  }
  after(ms: number, action: () => void): () => void {
    const id = (this.id += 1);
    this.timers.set(id, { at: this.time + ms, action });
    return () => this.timers.delete(id);
  }
  pass(ms: number): void {
    this.time += ms;
    for (const [id, { at, action }] of this.timers) {
      if (at > this.time) continue;
      this.timers.delete(id);
      action();
    }
  }
}

describe('Watchdog', () => {
  function watched(): { clock: StepClock; dog: Watchdog; stalls: () => number } {
    const clock = new StepClock();
    let stalls = 0;
    return { clock, dog: new Watchdog(1_000, clock, () => (stalls += 1)), stalls: () => stalls };
  }

  it('barks once when it is not fed in time', () => {
    const { clock, dog, stalls } = watched();
    dog.feed();
    clock.pass(999);
    expect(stalls()).toBe(0);
    clock.pass(1);
    clock.pass(10_000);
    expect(stalls()).toBe(1);
  });

  it('stays quiet while it is fed, and while nothing is asked for', () => {
    const { clock, dog, stalls } = watched();
    for (let round = 0; round < 5; round += 1) {
      dog.feed();
      clock.pass(900);
    }
    dog.rest();
    clock.pass(100_000);
    expect(stalls()).toBe(0);
  });

  it('starts to count anew when what excused the wait is over, and not before', () => {
    const clock = new StepClock();
    let stalls = 0;
    let excused = true;
    const dog = new Watchdog(
      5_000,
      clock,
      () => (stalls += 1),
      () => excused,
    );
    dog.feed();
    for (let second = 0; second < 60; second += 1) clock.pass(1_000);
    expect(stalls).toBe(0);
    excused = false;
    for (let second = 0; second < 4; second += 1) clock.pass(1_000);
    expect(stalls).toBe(0);
    clock.pass(1_000);
    clock.pass(60_000);
    expect(stalls).toBe(1);
  });
});

describe('doubtLimit', () => {
  it('is two target durations, 6 s at least, and no longer than any silence may be', () => {
    expect([undefined, 2_000, 6_000].map((target) => doubtLimit(stallLimit(target), target))).toEqual([
      6_000, 6_000, 12_000,
    ]);
    expect(doubtLimit(2_500, 6_000)).toBe(2_500);
  });
});

describe('stallLimit', () => {
  it('is three target durations, and 20 s at least', () => {
    expect([undefined, 2_000, 6_000, 10_000].map(stallLimit)).toEqual([20_000, 20_000, 20_000, 30_000]);
  });
});
