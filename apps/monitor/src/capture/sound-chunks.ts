/** A piece of a stream's sound: 16 kHz, mono, signed 16-bit little-endian. */
export interface SoundChunk {
  /** Presentation time of its first sample in the source's own clock, ms; null when the source gives none. */
  ptsMs: number | null;
  bytes: Buffer;
}

/** What ffmpeg said of one piece of sound that it delivers. */
export interface SoundReport {
  ptsMs: number | null;
  samples: number;
}

/** Chunks of a tenth of a second that wait at most: half a minute. */
const MOST_WAITING = 300;
/** Far more reports than can be ahead of their bytes. */
const MOST_REPORTS = 1_000;
const SAMPLE_BYTES = 2;

/**
 * Puts sound together with the time that ffmpeg reported for it. Never holds ffmpeg back: what no reader takes in time
 * is dropped, the oldest first. One reader.
 */
export class SoundChunks implements AsyncIterable<SoundChunk> {
  /** Chunks that were dropped unread. */
  dropped = 0;
  private readonly reports: SoundReport[] = [];
  private readonly waiting: SoundChunk[] = [];
  private bytes: Buffer[] = [];
  private held = 0;
  private open = 2;
  private wake = (): void => undefined;

  /** @param ignored length of the stand-in for missing sound, in samples; a chunk of that length is no sound */
  constructor(private readonly ignored: number) {}

  /** Takes bytes as they come. */
  write(bytes: Buffer): void {
    this.bytes.push(bytes);
    this.held += bytes.length;
    this.match();
  }

  /** Takes the report of the next piece; beyond the limit the two have fallen out of step and all ends. */
  report(report: SoundReport): void {
    this.reports.push(report);
    if (this.reports.length > MOST_REPORTS) this.open = 0;
    this.match();
  }

  /** Called once when there are no more bytes, and once when there are no more reports. */
  end(): void {
    this.open -= 1;
    this.wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<SoundChunk, void, void> {
    for (;;) {
      const next = this.waiting.shift();
      if (next !== undefined) yield next;
      else if (this.open <= 0) return;
      else await new Promise<void>((resolve) => (this.wake = resolve));
    }
  }

  private match(): void {
    if (this.open <= 0) {
      this.bytes = [];
      this.held = 0;
      return this.wake();
    }
    for (let next = this.reports[0]; next !== undefined; next = this.reports[0]) {
      const size = next.samples * SAMPLE_BYTES;
      if (this.held < size) break;
      this.reports.shift();
      const all = Buffer.concat(this.bytes);
      this.bytes = [all.subarray(size)];
      this.held -= size;
      if (next.samples !== this.ignored) this.waiting.push({ ptsMs: next.ptsMs, bytes: all.subarray(0, size) });
    }
    if (this.waiting.length > MOST_WAITING) {
      this.dropped += this.waiting.splice(0, this.waiting.length - MOST_WAITING).length;
    }
    this.wake();
  }
}
