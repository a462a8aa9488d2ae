/** A step forward in the source's clock that no stream takes by itself, ms. */
const LARGEST_STEP_MS = 60_000;
/** How fast the clocks of source and machine may drift apart: 1 ms a second. */
const DRIFT = 0.001;

/** Where a frame belongs. */
export interface FrameTime {
  /** ms since the session began, by the source's own clock; never goes backwards. */
  streamTimeMs: number;
  /** The same moment as wall time, epoch ms; never later than the frame's arrival. */
  wallTimeMs: number;
}

/**
 * The time of one session's stream, growing across restarts of the capture and across jumps of the source's clock.
 *
 * Segmented streams arrive in bursts, so the time of arrival blurs when something happened by a segment's length. The
 * wall time given here is the stream time plus the smallest delay seen between the two clocks (a minimum filter, as
 * clock synchronisation over networks uses it), let up slowly so that it follows drift.
 */
export class StreamClock {
  private readonly startedAt: number;
  /** Stream time that belongs to {@link originPtsMs}. */
  private originMs = 0;
  private originPtsMs: number | null = null;
  private lastMs = 0;
  private delay: { ms: number; at: number } | null = null;

  /** @param now epoch ms */
  constructor(private readonly now: () => number) {
    this.startedAt = now();
  }

  /** A new run of the capture begins: its first frame is placed at the wall time that has passed. */
  restart(): void {
    this.originPtsMs = null;
  }

  /** The time of a frame by its presentation time and its arrival (epoch ms). */
  at(ptsMs: number, receivedAt: number): FrameTime {
    if (this.originPtsMs === null) this.place(ptsMs, this.lastMs === 0 ? 0 : this.now() - this.startedAt);
    let streamTimeMs = this.originMs + ptsMs - (this.originPtsMs ?? ptsMs);
    if (streamTimeMs < this.lastMs || streamTimeMs > this.lastMs + LARGEST_STEP_MS) {
      this.place(ptsMs, this.lastMs);
      streamTimeMs = this.lastMs;
    }
    this.lastMs = streamTimeMs;
    return { streamTimeMs, wallTimeMs: Math.round(streamTimeMs + this.smallestDelay(streamTimeMs, receivedAt)) };
  }

  /** Wall time of a moment of the stream, epoch ms, as far as is known from the frames so far. */
  wallOf(streamTimeMs: number): number {
    return Math.max(0, Math.round(streamTimeMs + (this.delay?.ms ?? this.startedAt)));
  }

  /** The moment of the stream that a wall time (epoch ms) belongs to: {@link wallOf} the other way round. */
  streamOf(wallTimeMs: number): number {
    return wallTimeMs - (this.delay?.ms ?? this.startedAt);
  }

  private smallestDelay(streamTimeMs: number, receivedAt: number): number {
    const seen = receivedAt - streamTimeMs;
    const before = this.delay === null ? seen : this.delay.ms + Math.max(0, receivedAt - this.delay.at) * DRIFT;
    this.delay = { ms: Math.min(seen, before), at: receivedAt };
    return this.delay.ms;
  }

  private place(ptsMs: number, streamTimeMs: number): void {
    this.originPtsMs = ptsMs;
    this.originMs = Math.max(streamTimeMs, this.lastMs);
  }
}
