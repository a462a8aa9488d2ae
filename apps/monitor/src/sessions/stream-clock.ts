/** A step forward in the source's clock that no stream takes by itself, ms. */
const LARGEST_STEP_MS = 60_000;

/**
 * The time of one session's stream: ms since the session began, growing across restarts of the capture and across
 * jumps of the source's own clock.
 */
export class StreamClock {
  private readonly startedAt: number;
  /** Stream time that belongs to {@link originPtsMs}. */
  private originMs = 0;
  private originPtsMs: number | null = null;
  private lastMs = 0;

  /** @param now epoch ms */
  constructor(private readonly now: () => number) {
    this.startedAt = now();
  }

  /** A new run of the capture begins: its first frame is placed at the wall time that has passed. */
  restart(): void {
    this.originPtsMs = null;
  }

  /** Stream time of a frame with this presentation time. Never goes backwards. */
  at(ptsMs: number): number {
    if (this.originPtsMs === null) this.place(ptsMs, this.lastMs === 0 ? 0 : this.now() - this.startedAt);
    let time = this.originMs + ptsMs - (this.originPtsMs ?? ptsMs);
    if (time < this.lastMs || time > this.lastMs + LARGEST_STEP_MS) {
      this.place(ptsMs, this.lastMs);
      time = this.lastMs;
    }
    this.lastMs = time;
    return time;
  }

  private place(ptsMs: number, streamTimeMs: number): void {
    this.originPtsMs = ptsMs;
    this.originMs = Math.max(streamTimeMs, this.lastMs);
  }
}
