/** Rules remembered before those that are over are swept out. */
const SWEEP_AT = 1_000;

/**
 * The rules of one stream that cool down. A cooldown begins only once its event is safe: what was let through must be
 * answered by {@link kept} or {@link refused}; until then its rule lets nothing else through. Pure; any clock that does
 * not go backwards will do.
 */
export class Cooldowns {
  /** Findings that came while their rule cooled down. */
  suppressed = 0;
  private readonly until = new Map<string, number>();
  private readonly undecided = new Set<string>();

  /** Whether a finding of a rule may be told at this time. A rule without a cooldown always may. */
  pass(ruleId: string, cooldownMs: number, atMs: number): boolean {
    if (cooldownMs === 0) return true;
    const until = this.until.get(ruleId);
    if (this.undecided.has(ruleId) || (until !== undefined && atMs < until)) {
      this.suppressed += 1;
      return false;
    }
    this.until.delete(ruleId);
    this.undecided.add(ruleId);
    return true;
  }

  /** The finding is safe: its rule cools down from when it was made. */
  kept(ruleId: string, cooldownMs: number, atMs: number): void {
    this.undecided.delete(ruleId);
    if (cooldownMs === 0) return;
    if (this.until.size >= SWEEP_AT) {
      for (const [id, until] of this.until) if (until <= atMs) this.until.delete(id);
    }
    this.until.set(ruleId, atMs + cooldownMs);
  }

  /** The finding could not be kept: it never was. */
  refused(ruleId: string): void {
    this.undecided.delete(ruleId);
  }
}
