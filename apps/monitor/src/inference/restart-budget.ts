/** Lets at most `limit` things happen within any `windowMs`. */
export class RestartBudget {
  private readonly spentAt: number[] = [];

  constructor(
    private readonly limit: number,
    private readonly windowMs: number,
    private readonly now: () => number,
  ) {}

  /** Takes one. Returns 0, or how many ms later one will be free when none is now. */
  take(): number {
    const now = this.now();
    while (this.spentAt[0] !== undefined && this.spentAt[0] <= now - this.windowMs) this.spentAt.shift();
    const oldest = this.spentAt[0];
    if (this.spentAt.length >= this.limit) return Math.max(1, (oldest ?? now) + this.windowMs - now);
    this.spentAt.push(now);
    return 0;
  }
}
