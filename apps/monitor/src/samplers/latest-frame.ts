import type { CapturedFrame } from '../capture/frame.js';

/**
 * Live pacing: takes frames as fast as they come and keeps only the newest that was not read yet, so that a slow
 * consumer sees the present and not a queue. One reader; the source ends when the reader does.
 */
export class LatestFrame implements AsyncIterable<CapturedFrame> {
  /** Frames that were replaced before they were read. */
  dropped = 0;

  constructor(private readonly source: AsyncIterable<CapturedFrame>) {}

  async *[Symbol.asyncIterator](): AsyncGenerator<CapturedFrame, void, void> {
    const iterator = this.source[Symbol.asyncIterator]();
    let newest: CapturedFrame | null = null;
    let failure: { error: unknown } | null = null;
    let ended = false;
    let wake = (): void => undefined;
    const pump = async (): Promise<void> => {
      try {
        for (let next = await iterator.next(); next.done !== true && !ended; next = await iterator.next()) {
          if (newest !== null) this.dropped += 1;
          newest = next.value;
          wake();
        }
      } catch (error) {
        failure = { error };
      } finally {
        ended = true;
        wake();
      }
    };
    const pumping = pump();
    try {
      for (;;) {
        const frame = newest as CapturedFrame | null;
        if (frame !== null) {
          newest = null;
          yield frame;
        } else if (ended) break;
        else
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
      }
      const failed = failure as { error: unknown } | null;
      if (failed !== null) throw failed.error;
    } finally {
      ended = true;
      await iterator.return?.();
      await pumping;
    }
  }
}
