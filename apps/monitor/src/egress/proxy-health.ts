/** Longest pause of a failing proxy and the first one, ms; below the shortest a pause would be none. */
const [FIRST_BENCH_MS, LONGEST_BENCH_MS, SHORTEST_BENCH_MS] = [10_000, 600_000, 1_000];
/** After so long an outcome counts half, ms. */
const HALF_LIFE_MS = 600_000;
/** Failures that may lie with the destination bench a proxy when so many streams met them without a success between. */
const STREAMS_TO_BLAME = 2;

/** What is known of one proxy: how well it works, and whether it is benched. Pure; the caller brings time and chance. */
export class ProxyHealth {
  successes = 0;
  failures = 0;
  /** Without secrets. */
  lastError: string | null = null;
  /** Epoch ms; in the past when it is healthy. */
  benchedUntil = 0;
  benchedAt = 0;
  /** Epoch ms of the newest outcome. */
  outcomeAt = 0;
  /** Goes up with each bench and each way back: an outcome of a try that began before says nothing new. */
  era = 0;
  private benches = 0;
  private good = 0;
  private bad = 0;
  private readonly blamedBy = new Set<string>();

  constructor(private readonly random: () => number) {}

  benched(now: number): boolean {
    return this.benchedUntil > now;
  }

  /**
   * Its part of the streams: 1, 0.5 or 0.25 by the decaying rate of success. Few steps, so that streams stay where they
   * are while little changes.
   */
  weight(now: number): number {
    const left = 0.5 ** (Math.max(0, now - this.outcomeAt) / HALF_LIFE_MS);
    // Two successes are taken for granted: a new proxy is a good one until it fails.
    const rate = (this.good * left + 2) / ((this.good + this.bad) * left + 2);
    return rate >= 0.75 ? 1 : rate >= 0.5 ? 0.5 : 0.25;
  }

  succeeded(now: number): void {
    this.successes += 1;
    this.age(now);
    this.good += 1;
    this.blamedBy.clear();
    this.benches = 0;
    if (this.benchedUntil === 0) return;
    this.benchedUntil = 0;
    this.era += 1;
  }

  /**
   * It failed by its own fault.
   * @param era what {@link era} was when the try began
   */
  failed(now: number, error: string, era: number): void {
    this.count(now, error);
    if (era === this.era) this.bench(now);
  }

  /** It did not get where another proxy got right afterwards. */
  blamed(now: number, error: string, streamId: string, era: number): void {
    this.count(now, error);
    this.blamedBy.add(streamId);
    if (this.blamedBy.size >= STREAMS_TO_BLAME && era === this.era) this.bench(now);
  }

  private count(now: number, error: string): void {
    this.failures += 1;
    this.lastError = error;
    this.age(now);
    this.bad += 1;
  }

  /** Exponential back-off with full jitter. */
  private bench(now: number): void {
    const ceiling = Math.min(LONGEST_BENCH_MS, FIRST_BENCH_MS * 2 ** Math.min(this.benches, 20));
    this.benches += 1;
    this.era += 1;
    this.blamedBy.clear();
    this.benchedAt = now;
    this.benchedUntil = now + Math.max(SHORTEST_BENCH_MS, Math.round(this.random() * ceiling));
  }

  private age(now: number): void {
    const left = 0.5 ** (Math.max(0, now - this.outcomeAt) / HALF_LIFE_MS);
    this.good *= left;
    this.bad *= left;
    this.outcomeAt = now;
  }
}
