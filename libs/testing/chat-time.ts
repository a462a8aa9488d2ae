import { setTimeout as wait } from 'node:timers/promises';

/** Time that passes when the test says so. */
export class ManualClock {
  /** How long each timer was to wait, in the order in which they were set. */
  readonly waits: number[] = [];
  private time = 1_700_000_000_000;
  private readonly timers = new Set<{ at: number; action: () => void }>();

  now(): number {
    return this.time;
  }

  after(ms: number, action: () => void): () => void {
    this.waits.push(ms);
    const timer = { at: this.time + ms, action };
    this.timers.add(timer);
    return () => void this.timers.delete(timer);
  }

  /** Timers that wait. */
  get pending(): number {
    return this.timers.size;
  }

  /** Lets time pass; what falls due runs in its order. */
  advance(ms: number): void {
    const end = this.time + ms;
    for (;;) {
      const [next] = [...this.timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
      if (next === undefined) break;
      this.timers.delete(next);
      this.time = Math.max(this.time, next.at);
      next.action();
    }
    this.time = end;
  }
}

/** Waits until something is so, or fails by name: how long it takes does not matter to the test. */
export async function until(what: string, condition: () => boolean, deadlineMs = 30_000): Promise<void> {
  const end = Date.now() + deadlineMs;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`It did not come about in time: ${what}.`);
    await wait(2);
  }
}
