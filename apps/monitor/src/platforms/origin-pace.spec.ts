import { Backoff } from '../capture/backoff.js';
import { OriginPace } from './origin-pace.js';

const URL_A = 'http://dead.example/live.m3u8';

/** A small random generator, the same in each run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 16_807) % 2_147_483_647) / 2_147_483_647;
}

/** Streams that try an origin which is down from the start. @returns when each try was made, ms */
function storm(streams: number, untilMs: number): number[] {
  const random = seeded(7);
  let now = 0;
  const pace = new OriginPace(() => now, random);
  const due = Array.from({ length: streams }, () => ({
    at: random() * 200,
    backoff: new Backoff(random),
    turn: false,
  }));
  const tries: number[] = [];
  for (;;) {
    const next = due.reduce((first, stream) => (stream.at < first.at ? stream : first));
    if (next.at > untilMs) return tries;
    now = next.at;
    const waitMs = next.turn ? 0 : pace.reserve(URL_A);
    next.turn = waitMs > 0;
    next.turn = waitMs > 0;
    if (waitMs > 0) next.at = now + waitMs;
    else {
      tries.push(now);
      // Refused at once, which is the worst: whatever takes longer tries less often.
      pace.failed(URL_A);
      next.at = now + 1 + next.backoff.failed(now, 0).delayMs;
    }
  }
}

describe('OriginPace', () => {
  it('lets 50 streams of an origin that is down start once a second together, not in step', () => {
    const tries = storm(50, 600_000).filter((at) => at > 2_000);
    const rate = (from: number, to: number): number =>
      tries.filter((at) => at >= from && at < to).length / ((to - from) / 1_000);
    expect(rate(2_000, 600_000)).toBeLessThanOrEqual(1);
    for (let from = 2_000; from < 590_000; from += 10_000) expect(rate(from, from + 10_000)).toBeLessThanOrEqual(1);
    const gaps = tries.slice(1).map((at, index) => at - (tries[index] ?? 0));
    expect(new Set(gaps.map(Math.round)).size).toBeGreaterThan(gaps.length / 4);
    expect(tries.length).toBeGreaterThan(300);
  });

  it('keeps nobody waiting for an origin that answers, nor for another that does not', () => {
    const pace = new OriginPace(
      () => 1_000,
      () => 0.5,
    );
    expect([pace.reserve(URL_A), pace.reserve(URL_A)]).toEqual([0, 0]);
    pace.failed(URL_A);
    expect(pace.reserve(URL_A)).toBeGreaterThan(1_000);
    expect(pace.reserve('http://well.example/live.m3u8')).toBe(0);
  });

  it('lets all come back quickly once one plays again', () => {
    let now = 0;
    const pace = new OriginPace(
      () => now,
      () => 0,
    );
    pace.failed(URL_A);
    now = 60_000;
    pace.worked(URL_A);
    const waits = Array.from({ length: 20 }, () => pace.reserve(URL_A));
    expect(Math.max(...waits)).toBeLessThanOrEqual(2_000);
  });

  it('brings those nearer who wait for a turn that is far away', async () => {
    const pace = new OriginPace(Date.now, () => 0);
    pace.failed(URL_A);
    for (let others = 0; others < 3_000; others += 1) pace.reserve(URL_A);
    // An hour away, and the test has half a minute.
    const turn = pace.turn(URL_A, new AbortController().signal);
    pace.worked(URL_A);
    await turn;
  });

  it('ends a wait when the stream is stopped', async () => {
    const pace = new OriginPace(Date.now, () => 0);
    pace.failed(URL_A);
    pace.reserve(URL_A);
    const stop = new AbortController();
    const turn = pace.turn(URL_A, stop.signal);
    stop.abort();
    await turn;
  });
});
