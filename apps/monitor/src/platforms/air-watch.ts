/** What makes a stream count as offline. */
export interface AirLimits {
  /** Probes in a row that find nothing. */
  probes: number;
  /** Least time from the first of them to the last, ms: a shorter gap is a blip. */
  blipMs: number;
}

export const AIR_LIMITS: AirLimits = { probes: 3, blipMs: 30_000 };

/**
 * Tells when a stream goes on air and off it. Online is told at once; offline only when several probes in a row found
 * nothing over some time, for a reconnecting encoder is no end of a broadcast. Each is told once. Pure.
 *
 * Use, in the session: `probe(true)` at the first frame of every capture, `probe(false)` whenever a resolve fails with
 * outcome `offline` or `gone`, or a capture ends by itself. What it returns is a fact to record; null is none. Other
 * failures (blocked, private, no network) are no probe: they say nothing of the broadcast.
 */
export class AirWatch {
  private told: 'online' | 'offline' | null = null;
  private misses = 0;
  private firstMissAt = 0;

  constructor(
    private readonly now: () => number,
    private readonly limits: AirLimits = AIR_LIMITS,
  ) {}

  /** What was told last; null before the first. */
  get state(): 'online' | 'offline' | null {
    return this.told;
  }

  /** A probe found the stream on air or not. @returns the transition to tell, null when there is none */
  probe(onAir: boolean): 'online' | 'offline' | null {
    if (onAir) {
      this.misses = 0;
      return this.tell('online');
    }
    if (this.misses === 0) this.firstMissAt = this.now();
    this.misses += 1;
    const long = this.now() - this.firstMissAt >= this.limits.blipMs;
    return this.misses >= this.limits.probes && long ? this.tell('offline') : null;
  }

  private tell(state: 'online' | 'offline'): 'online' | 'offline' | null {
    if (this.told === state) return null;
    this.told = state;
    return state;
  }
}
