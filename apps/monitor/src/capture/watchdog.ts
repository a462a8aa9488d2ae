import type { Clock } from './clock.js';

const LEAST_STALL_MS = 20_000;

/** How long a stream may bring nothing: max(20 s, 3 target durations). */
export function stallLimit(targetDurationMs?: number): number {
  return Math.max(LEAST_STALL_MS, 3 * (targetDurationMs ?? 0));
}

/** Calls `onStall` once when it is armed and not fed for `limitMs`. */
export class Watchdog {
  private cancel: (() => void) | null = null;

  constructor(
    private readonly limitMs: number,
    private readonly clock: Clock,
    private readonly onStall: () => void,
  ) {}

  /** Starts to count anew: something was asked for, or something came. */
  feed(): void {
    this.rest();
    this.cancel = this.clock.after(this.limitMs, () => {
      this.cancel = null;
      this.onStall();
    });
  }

  /** Stops to count: nothing is asked for, so nothing can be late. */
  rest(): void {
    this.cancel?.();
    this.cancel = null;
  }
}
