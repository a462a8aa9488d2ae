import type { SessionReport } from '#libs/contracts/monitors.js';

/** Time over which the rate of inspection is told, ms. */
const RATE_WINDOW_MS = 30_000;
/** Inspections remembered for the rate at most. */
const MOST_REMEMBERED = 1_000;

/** The counters of one session. */
export class SessionFigures {
  captured = 0;
  inspected = 0;
  dropped = 0;
  /** Frames that were not inspected for want of budget. */
  shed = 0;
  /** Inspected frames that showed nothing new. */
  still = 0;
  restarts = 0;
  suppressed = 0;
  detectorFailures = 0;
  lastFrameAt: number | null = null;
  private readonly inspections: number[] = [];

  constructor(private readonly now: () => number) {}

  countInspected(): void {
    this.inspected += 1;
    this.inspections.push(this.now());
    if (this.inspections.length > MOST_REMEMBERED) this.inspections.shift();
  }

  /** The part of a report that is figures. */
  report(): Pick<
    SessionReport,
    | 'lastFrameAt'
    | 'inspectedFps'
    | 'framesCaptured'
    | 'framesInspected'
    | 'framesDropped'
    | 'framesShed'
    | 'framesStill'
    | 'restarts'
  > {
    const since = this.now() - RATE_WINDOW_MS;
    while ((this.inspections[0] ?? Infinity) < since) this.inspections.shift();
    return {
      lastFrameAt: this.lastFrameAt,
      inspectedFps: Math.round((this.inspections.length / RATE_WINDOW_MS) * 1e5) / 100,
      framesCaptured: this.captured,
      framesInspected: this.inspected,
      framesDropped: this.dropped,
      framesShed: this.shed,
      framesStill: this.still,
      restarts: this.restarts,
    };
  }
}
