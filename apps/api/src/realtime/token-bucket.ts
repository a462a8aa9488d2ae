/** How much may happen: `capacity` at once, and `perSecond` in the long run. */
export interface Rate {
  capacity: number;
  perSecond: number;
}

/** Lets so much happen and no more: tokens come back with time, up to the capacity. */
export class TokenBucket {
  private tokens: number;
  private at: number;

  constructor(
    private readonly rate: Rate,
    private readonly now: () => number = Date.now,
  ) {
    this.tokens = rate.capacity;
    this.at = now();
  }

  /** Takes a token. @returns false when there is none. */
  take(): boolean {
    const now = this.now();
    const { capacity, perSecond } = this.rate;
    this.tokens = Math.min(capacity, this.tokens + (Math.max(0, now - this.at) / 1_000) * perSecond);
    this.at = now;
    if (this.tokens < 1) return false;
    this.tokens -= 1;
    return true;
  }
}
