import { hourAfter, type CoveragePart, type CoverageSpan, type ReportedGap } from '#libs/contracts/coverage.js';

/** How a part is doing at one moment. */
export interface Reading {
  /** Why it is not watched; null when it is, as far as its state says. */
  gap: ReportedGap | null;
  /** Whether something was seen, heard or read since the last reading: a state alone proves nothing. */
  isProven: boolean;
  /** What is wrong, should no proof come for long. */
  unless: ReportedGap;
}

/** Without a proof for so long a part was not watched since the last one, ms: longer than the burst of any playlist. */
export const PROOF_MS = 25_000;
/** A pause beyond this is told as far back as this, ms. */
const LONGEST_PAUSE_MS = 24 * 3_600_000;
/** Changed spans that wait to be told. */
const MOST_WAITING = 45;

/**
 * The time of one part without holes: each span begins where the one before ends, and none goes beyond its hour. Time
 * is only counted as watched up to the last proof.
 */
export class PartTrack {
  private span: CoverageSpan;
  private isTold = true;
  private readonly waiting: CoverageSpan[] = [];

  /** @param startedAt epoch ms; so are all times here */
  constructor(
    private readonly part: CoveragePart,
    startedAt: number,
  ) {
    this.span = { part, gap: 'starting', startedAt, endedAt: startedAt };
  }

  /** Takes how the part is doing. @returns whether that is another state than before */
  read(at: number, { gap, isProven, unless }: Reading): boolean {
    const before = this.span.gap;
    const silentMs = at - this.span.endedAt;
    // The clock was set back: what is told already stays.
    if (silentMs <= 0) return false;
    if (gap !== null) this.extend(gap, at);
    else if (silentMs > PROOF_MS) this.extend(unless, at);
    else if (isProven) this.extend(null, at);
    else if (before !== null) this.extend(before, at);
    return this.span.gap !== before;
  }

  /** Spans that began or grew since the last time, oldest first. */
  take(): CoverageSpan[] {
    const spans = this.waiting.splice(0);
    if (!this.isTold) spans.push({ ...this.span });
    this.isTold = true;
    return spans;
  }

  private extend(gap: ReportedGap | null, to: number): void {
    const from = Math.max(this.span.endedAt, to - LONGEST_PAUSE_MS);
    if (gap !== this.span.gap || from > this.span.endedAt) this.begin(gap, from);
    for (let border = hourAfter(this.span.startedAt); border < to; border = hourAfter(border)) {
      this.grow(border);
      this.begin(gap, border);
    }
    this.grow(to);
  }

  private grow(to: number): void {
    this.span.endedAt = to;
    this.isTold = false;
  }

  private begin(gap: ReportedGap | null, at: number): void {
    if (!this.isTold) this.waiting.push(this.span);
    if (this.waiting.length > MOST_WAITING) this.waiting.shift();
    this.span = { part: this.part, gap, startedAt: at, endedAt: at };
    this.isTold = true;
  }
}
