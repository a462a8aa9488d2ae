import { setTimeout as sleep } from 'node:timers/promises';
import { isOverrun } from '../database/constraint-violations.js';

/** How long a batch should take, ms: short enough that nobody waits for what it has locked. */
const WANTED_MS = 100;
const [FEWEST, FIRST, MOST] = [20, 200, 2_000];
/**
 * A batch is sized by what the ones before it took, so it may meet rows that are far dearer. One that takes longer than
 * this, in ms, is rolled back and halved: nothing is locked for much longer than this, whatever it meets.
 */
export const LONGEST_BATCH_MS = 800;
/** Pause behind a batch at least, ms. */
const LEAST_REST_MS = 5;

/** Chooses the size of batches by how long they take, and rests as long as it works, so that others get their half. */
export class Pace {
  /** Rows of the next batch. */
  size = FIRST;
  /** Batches that were rolled back. */
  overruns = 0;

  constructor(
    private readonly signal: AbortSignal,
    private readonly now: () => number = performance.now.bind(performance),
    private readonly rest: (ms: number, signal: AbortSignal) => Promise<void> = pause,
  ) {}

  get isStopped(): boolean {
    return this.signal.aborted;
  }

  /**
   * Does one batch, learns from it, and rests. One that overran is tried again with half the rows, down to a single one.
   * @throws whatever `batch` throws otherwise.
   */
  async step<T>(batch: (size: number) => Promise<T>): Promise<T> {
    for (;;) {
      const startedAt = this.now();
      const done = await batch(this.size).then(
        (result) => ({ result }),
        (error: unknown) => {
          if (!isOverrun(error) || this.size === 1 || this.isStopped) throw error;
          return null;
        },
      );
      const ms = Math.max(1, this.now() - startedAt);
      await this.rest(Math.max(LEAST_REST_MS, ms), this.signal);
      if (done !== null) {
        const factor = Math.min(2, Math.max(0.5, WANTED_MS / ms));
        this.size = Math.round(Math.min(MOST, Math.max(Math.min(FEWEST, this.size), this.size * factor)));
        return done.result;
      }
      this.overruns += 1;
      this.size = Math.ceil(this.size / 2);
    }
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}
