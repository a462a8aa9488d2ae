import fc from 'fast-check';
import { allocate, FLOOR_PER_SECOND, type Claimant } from './allocation.js';
import { InferenceBudget, type StreamBudget } from './inference-budget.js';

const claimants = fc
  .array(
    fc.record({
      priority: fc.integer({ min: 1, max: 10 }),
      wanted: fc.double({ min: 0.01, max: 5, noNaN: true }),
      isHot: fc.boolean(),
    }),
    { minLength: 1, maxLength: 40 },
  )
  .map((list) => list.map((claimant, index): Claimant => ({ ...claimant, id: String(index) })));
const EPSILON = 1e-6;

describe('the allocation of inferences', () => {
  it('never exceeds the budget, keeps floors, gives nobody more than it wants and leaves nothing unused', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 100, noNaN: true }), claimants, (budget, list) => {
        const rates = allocate(budget, list);
        const sum = [...rates.values()].reduce((total, rate) => total + rate, 0);
        const wanted = list.reduce((total, claimant) => total + claimant.wanted, 0);
        const floors = list.reduce((total, claimant) => total + Math.min(claimant.wanted, FLOOR_PER_SECOND), 0);
        expect(sum).toBeLessThanOrEqual(budget + EPSILON);
        expect(sum).toBeGreaterThanOrEqual(Math.min(budget, wanted) - EPSILON);
        for (const claimant of list) {
          const rate = rates.get(claimant.id) ?? NaN;
          const floor = Math.min(claimant.wanted, FLOOR_PER_SECOND) * Math.min(1, budget / floors);
          expect(rate).toBeGreaterThanOrEqual(floor - EPSILON);
          expect(rate).toBeLessThanOrEqual(claimant.wanted + EPSILON);
        }
      }),
    );
  });

  it('gives the more urgent and the one with hits at least as much as one that wants the same', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 100, noNaN: true }), claimants, (budget, list) => {
        const same = list.map((claimant) => ({ ...claimant, wanted: 2 }));
        const rates = allocate(budget, same);
        for (const a of same) {
          for (const b of same) {
            const earnsMore = a.priority <= b.priority && (a.isHot || !b.isHot);
            if (earnsMore) expect(rates.get(a.id)).toBeGreaterThanOrEqual((rates.get(b.id) ?? NaN) - EPSILON);
          }
        }
      }),
    );
  });
});

describe('InferenceBudget', () => {
  let now = 0;

  /** Streams that bring a frame a second, out of step, for so long. @returns inspected frames of each */
  function run(streams: readonly StreamBudget[], seconds: number, cuts = false): number[] {
    const inspected = streams.map(() => 0);
    for (let tick = 0; tick < seconds; tick += 1) {
      for (const [index, stream] of streams.entries()) {
        now += 1_000 / streams.length;
        if (stream.take(cuts)) inspected[index] = (inspected[index] ?? 0) + 1;
      }
    }
    return inspected;
  }

  it('holds nobody back while there is enough, however uneven frames come', () => {
    const budget = new InferenceBudget(
      () => 5,
      () => now,
    );
    const stream = budget.open(5, 1);
    for (const gap of [1_000, 900, 1_100, 500, 1_500, 950, 2_000, 20]) {
      now += gap;
      expect(stream.take(false)).toBe(true);
    }
    expect(stream.granted).toBeNull();
  });

  it('holds to the budget when streams want more, and tells each what it gets', () => {
    const budget = new InferenceBudget(
      () => 4,
      () => now,
    );
    const streams = Array.from({ length: 10 }, (_, index) => budget.open(index < 2 ? 1 : 8, 1));
    run(streams, 10);
    const inspected = run(streams, 100);
    const sum = inspected.reduce((total, count) => total + count, 0);
    expect(sum).toBeLessThanOrEqual(4 * 100 + 2.5 * streams.length);
    expect(sum).toBeGreaterThan(4 * 100 * 0.8);
    expect(Math.min(...inspected.slice(0, 2))).toBeGreaterThan(Math.max(...inspected.slice(2)) * 1.5);
    expect(Math.min(...inspected)).toBeGreaterThanOrEqual(FLOOR_PER_SECOND * 100 * 0.8);
    expect(streams.at(-1)?.granted).toBeCloseTo(inspected[9] ?? NaN / 100, -2);
    expect(budget.granted).toBeLessThanOrEqual(4 + EPSILON);
  });

  it('advances a scene cut its inspection, but not cut after cut', () => {
    const budget = new InferenceBudget(
      () => 1,
      () => now,
    );
    const streams = Array.from({ length: 10 }, () => budget.open(5, 1));
    run(streams, 30);
    const [stream] = streams;
    while (stream?.take(false) === true);
    expect(stream?.take(true)).toBe(true);
    const inspected = run(streams, 100, true).reduce((total, count) => total + count, 0);
    expect(inspected).toBeLessThanOrEqual(100 + 2.5 * streams.length);
  });

  it('gives a stream with hits more, and what one leaves to the others', () => {
    const budget = new InferenceBudget(
      () => 4,
      () => now,
    );
    const streams = Array.from({ length: 8 }, () => budget.open(5, 1));
    run(streams, 10);
    streams[0]?.hit();
    const inspected = run(streams, 30);
    expect(inspected[0]).toBeGreaterThan((inspected[1] ?? NaN) * 1.3);
    for (const stream of streams.slice(4)) stream.close();
    run(streams.slice(0, 4), 3);
    expect(streams[1]?.granted).toBeNull();
  });
});
