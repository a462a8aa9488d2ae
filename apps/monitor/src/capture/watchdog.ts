import type { Clock } from './clock.js';

const LEAST_STALL_MS = 20_000;

/** How long a stream may bring nothing: max(20 s, 3 target durations). */
export function stallLimit(targetDurationMs?: number): number {
  return Math.max(LEAST_STALL_MS, 3 * (targetDurationMs ?? 0));
}

const LEAST_DOUBT_MS = 6_000;

/**
 * How long a stream may bring no picture once ffmpeg has said what it seldom recovers from: max(6 s, 2 target
 * durations), and never longer than it may be silent anyway.
 */
export function doubtLimit(stallMs: number, targetDurationMs?: number): number {
  return Math.min(stallMs, Math.max(LEAST_DOUBT_MS, 2 * (targetDurationMs ?? 0)));
}

/** How often an excuse is looked for, ms. */
const EXCUSE_POLL_MS = 1_000;

/** Calls `onStall` once when it is armed and not fed for `limitMs`. */
export class Watchdog {
  private cancel: (() => void) | null = null;

  /** @param excused while it says so nothing is late: the time of waiting starts anew after it */
  constructor(
    private readonly limitMs: number,
    private readonly clock: Clock,
    private readonly onStall: () => void,
    private readonly excused?: () => boolean,
  ) {}

  /** Whether it counts. */
  get armed(): boolean {
    return this.cancel !== null;
  }

  /** Starts to count anew: something was asked for, or something came. */
  feed(): void {
    this.rest();
    this.wait(this.limitMs);
  }

  /** Stops to count: nothing is asked for, so nothing can be late. */
  rest(): void {
    this.cancel?.();
    this.cancel = null;
  }

  private wait(leftMs: number): void {
    const stepMs = this.excused === undefined ? leftMs : Math.min(leftMs, EXCUSE_POLL_MS);
    this.cancel = this.clock.after(stepMs, () => {
      this.cancel = null;
      const restMs = this.excused?.() === true ? this.limitMs : leftMs - stepMs;
      if (restMs > 0) this.wait(restMs);
      else this.onStall();
    });
  }
}
