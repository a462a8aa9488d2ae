import type { FrameReport } from './ffmpeg-log.js';

/** Far more than can be under way: the frames themselves are held back by their pipes. */
const LIMIT = 1_000;

/** Frame reports on their way to the frames they belong to. One reader. */
export class ReportQueue {
  private readonly waiting: FrameReport[] = [];
  private reader: ((report: FrameReport | null) => void) | null = null;
  private closed = false;

  /** Adds a report; beyond the limit the queue closes, for the outputs have fallen out of step. */
  push(report: FrameReport): void {
    if (this.closed) return;
    if (this.reader !== null) {
      this.reader(report);
      this.reader = null;
    } else if (this.waiting.length < LIMIT) this.waiting.push(report);
    else this.close();
  }

  /** The next report; null when there will be none. */
  next(): Promise<FrameReport | null> {
    const report = this.waiting.shift();
    if (report !== undefined || this.closed) return Promise.resolve(report ?? null);
    return new Promise((resolve) => {
      this.reader = resolve;
    });
  }

  /** No more will come; what waits can still be read. */
  close(): void {
    this.closed = true;
    this.reader?.(null);
    this.reader = null;
  }
}
