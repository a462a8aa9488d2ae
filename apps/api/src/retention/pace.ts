import { setTimeout as sleep } from 'node:timers/promises';

/** How long a batch should take, ms: short enough that nobody waits for what it has locked. */
const WANTED_MS = 100;
const [FEWEST, FIRST, MOST] = [20, 200, 2_000];
/** Pause behind a batch at least, ms. */
const LEAST_REST_MS = 5;

/** Chooses the size of batches by how long they take, and rests as long as it works, so that others get their half. */
export class Pace {
  /** Rows of the next batch. */
  size = FIRST;

  constructor(
    private readonly signal: AbortSignal,
    private readonly now: () => number = performance.now.bind(performance),
    private readonly rest: (ms: number, signal: AbortSignal) => Promise<void> = pause,
  ) {}

  get isStopped(): boolean {
    return this.signal.aborted;
  }

  /** Does one batch, learns from it, and rests. */
  async step<T>(batch: (size: number) => Promise<T>): Promise<T> {
    const startedAt = this.now();
    const result = await batch(this.size);
    const ms = Math.max(1, this.now() - startedAt);
    const factor = Math.min(2, Math.max(0.5, WANTED_MS / ms));
    this.size = Math.round(Math.min(MOST, Math.max(FEWEST, this.size * factor)));
    await this.rest(Math.max(LEAST_REST_MS, ms), this.signal);
    return result;
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}
