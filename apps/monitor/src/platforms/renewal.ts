/** How early a playback is resolved anew. */
export interface RenewalLimits {
  /** Share of the lifetime that is left over, from 0 to 1. */
  leadShare: number;
  /** Bounds of what is left over, ms. */
  leastLeadMs: number;
  mostLeadMs: number;
  /** Least time between two attempts, ms; also for an expiry that lies in the past when it is told. */
  leastWaitMs: number;
}

export const RENEWAL_LIMITS: RenewalLimits = {
  ...{ leadShare: 0.2, leastLeadMs: 30_000, mostLeadMs: 600_000, leastWaitMs: 15_000 },
};

/**
 * Says when a playback must be resolved anew: before it expires, each stream at a time of its own. Pure.
 *
 * Use, in the session: `renewal.resolved(playback.expiresAt)` after each resolve, then a timer of `renewal.waitMs()`
 * (none when null). When it fires, resolve again beside the running capture: on success start the new capture, end
 * the old one, call `resolved` again; on failure keep the old one running, call `failed()`, and set the timer by
 * `waitMs()` again. An end of the capture with 403, 404 or 410 is a reason to resolve at once, whatever this says.
 */
export class Renewal {
  private due: number | null = null;

  /** @param random from 0 (included) to 1 (not) */
  constructor(
    private readonly now: () => number,
    private readonly random: () => number,
    private readonly limits: RenewalLimits = RENEWAL_LIMITS,
  ) {}

  /** A playback was resolved. @param expiresAt epoch ms, null when it does not expire */
  resolved(expiresAt: number | null): void {
    if (expiresAt === null) {
      this.due = null;
      return;
    }
    const now = this.now();
    const { leadShare, leastLeadMs, mostLeadMs, leastWaitMs } = this.limits;
    const life = Math.max(0, expiresAt - now);
    const lead = Math.min(mostLeadMs, Math.max(leastLeadMs, life * leadShare), life / 2);
    // Up to half a lead earlier, so that streams resolved together are not renewed together.
    this.due = Math.max(now + leastWaitMs, expiresAt - lead * (1 + this.random() / 2));
  }

  /** An attempt to renew failed: the next one comes after 1 to 3 least waits. */
  failed(): void {
    if (this.due !== null) this.due = this.now() + this.limits.leastWaitMs * (1 + 2 * this.random());
  }

  /** Time until the playback must be resolved anew, ms; 0 when it is due, null when it never is. */
  waitMs(): number | null {
    return this.due === null ? null : Math.max(0, this.due - this.now());
  }
}
