/**
 * Live pacing: takes frames as fast as they come and keeps only the newest that was not read yet, so that a slow
 * consumer sees the present and not a queue. One reader; the source ends when the reader does.
 */
export class LatestFrame<Frame> implements AsyncIterable<Frame> {
  /** Frames that were replaced before they were read. */
  dropped = 0;

  constructor(private readonly source: AsyncIterable<Frame>) {}

  async *[Symbol.asyncIterator](): AsyncGenerator<Frame, void, void> {
    const iterator = this.source[Symbol.asyncIterator]();
    let newest: Frame | null = null;
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
        const frame = newest as Frame | null;
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
