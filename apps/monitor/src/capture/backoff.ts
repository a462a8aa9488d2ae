/** Pace of retries. */
export interface BackoffLimits {
  firstMs: number;
  longestMs: number;
  /** So many failures within {@link windowMs} open the circuit. */
  failures: number;
  windowMs: number;
  /** A run that was healthy for so long wipes out what went before. */
  healthyMs: number;
}

const DEFAULTS: BackoffLimits = {
  firstMs: 1_000,
  longestMs: 60_000,
  failures: 5,
  windowMs: 60_000,
  healthyMs: 60_000,
};

/** What to do after a failure. */
export interface Retry {
  delayMs: number;
  /** True when it fails so often that each wait is at least half of the longest. */
  circuitOpen: boolean;
}

/**
 * Exponential back-off with full jitter (delay = random * min(longest, first * 2^n), after the AWS Architecture Blog,
 * "Exponential Backoff And Jitter"), and a circuit breaker on top. Pure: time and randomness come from outside.
 */
export class Backoff {
  private attempt = 0;
  private recent: number[] = [];
  private readonly limits: BackoffLimits;

  /** @param random gives numbers from 0 (included) to 1 (not) */
  constructor(
    private readonly random: () => number,
    limits: Partial<BackoffLimits> = {},
  ) {
    this.limits = { ...DEFAULTS, ...limits };
  }

  /**
   * Notes a failure.
   * @param at epoch ms
   * @param ranMs how long frames had been flowing before it, 0 when none came
   */
  failed(at: number, ranMs: number): Retry {
    const { firstMs, longestMs, failures, windowMs, healthyMs } = this.limits;
    if (ranMs >= healthyMs) this.reset();
    this.recent = [...this.recent.filter((time) => time > at - windowMs), at].slice(-failures);
    const ceiling = Math.min(longestMs, firstMs * 2 ** Math.min(this.attempt, 30));
    this.attempt += 1;
    if (this.recent.length >= failures) {
      // Spread over half the delay, so that streams of one dead origin do not come back in step.
      return { delayMs: Math.round(longestMs * (1 - this.random() / 2)), circuitOpen: true };
    }
    return { delayMs: Math.round(this.random() * ceiling), circuitOpen: false };
  }

  /** Forgets every failure. */
  reset(): void {
    this.attempt = 0;
    this.recent = [];
  }
}
