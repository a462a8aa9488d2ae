import { setTimeout as wait } from 'node:timers/promises';

/** Time between two tries at an origin that does not answer, ms, before jitter. */
const SPACING_MS = 1_100;
/** Part of the spacing that chance adds at most. */
const JITTER = 0.5;
/** Tries at an origin that answers again come this close, ms. */
const HEALED_SPACING_MS = 100;
/** Origins remembered at most; the one that has been quiet for longest is forgotten. */
const MOST_ORIGINS = 10_000;

interface Origin {
  /** Whether the last that was heard of it is a failure. */
  isDown: boolean;
  /** When the next try may be made. */
  nextAt: number;
  /** Aborts when a stream of it plays: whoever waits for a turn takes a nearer one. */
  healed: AbortController;
}

/**
 * Keeps the streams of one origin from storming it while it is down: all together try about once a second, whatever
 * their number. While it answers nobody waits.
 */
export class OriginPace {
  private readonly origins = new Map<string, Origin>();

  /** @param random from 0 (included) to 1 (not) */
  constructor(
    private readonly now: () => number,
    private readonly random: () => number,
  ) {}

  /** Notes that a stream of this address plays: the others may come back. */
  worked(url: string): void {
    const origin = this.origins.get(originOf(url));
    if (origin?.isDown !== true) return;
    origin.isDown = false;
    origin.nextAt = this.now();
    origin.healed.abort();
    origin.healed = new AbortController();
  }

  /** Notes that a try at this address failed. */
  failed(url: string): void {
    const key = originOf(url);
    const origin = this.origins.get(key) ?? {
      ...{ isDown: true, nextAt: this.now() + this.spacing() },
      healed: new AbortController(),
    };
    this.origins.delete(key);
    this.origins.set(key, Object.assign(origin, { isDown: true }));
    const oldest = this.origins.keys().next().value;
    if (this.origins.size > MOST_ORIGINS && oldest !== undefined) this.origins.delete(oldest);
  }

  /** How long a try must wait from now on, ms; its place is taken with that. */
  reserve(url: string): number {
    const origin = this.origins.get(originOf(url));
    if (origin === undefined) return 0;
    const now = this.now();
    const at = Math.max(now, origin.nextAt);
    if (!origin.isDown && at === now) {
      origin.nextAt = now + HEALED_SPACING_MS;
      return 0;
    }
    origin.nextAt = at + (origin.isDown ? this.spacing() : HEALED_SPACING_MS);
    return at - now;
  }

  /**
   * Waits for a try's turn, which comes nearer when another stream of the origin plays. Ends early, without an error,
   * when the signal aborts.
   */
  async turn(url: string, signal: AbortSignal): Promise<void> {
    for (;;) {
      const waitMs = this.reserve(url);
      const healed = this.origins.get(originOf(url))?.healed.signal;
      if (waitMs === 0 || healed === undefined) return;
      const early = AbortSignal.any([signal, healed]);
      const came = await wait(waitMs, true, { signal: early }).catch(() => false);
      if (came || signal.aborted) return;
    }
  }

  private spacing(): number {
    return SPACING_MS * (1 + this.random() * JITTER);
  }
}

/** The host and port of an address; the address itself where it has none. */
function originOf(url: string): string {
  return URL.canParse(url) && new URL(url).host !== '' ? new URL(url).host : url;
}
