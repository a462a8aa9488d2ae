import type { Clock } from '../capture/clock.js';
import { TokenBucket } from '../egress/token-bucket.js';

/**
 * Lets joins of one platform pass no faster than its budget, over all streams, first come first served. Half of the
 * budget may be used at once and the other half over the period, so that no window of that length holds more.
 */
export class JoinGate {
  private readonly bucket: TokenBucket;

  constructor(
    { joins, perMs }: Readonly<{ joins: number; perMs: number }>,
    private readonly clock: Clock,
  ) {
    const half = Math.floor(joins / 2);
    this.bucket = new TokenBucket((half / perMs) * 1_000, joins - half, clock.now());
  }

  /** Waits for a turn. A turn that is given up is lost: better one too few. @throws the signal's reason */
  async pass(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const waitMs = this.bucket.borrow(1, this.clock.now());
    if (waitMs === 0) return;
    await new Promise<void>((resolve) => {
      const cancel = this.clock.after(waitMs, () => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      });
      const onAbort = (): void => {
        cancel();
        resolve();
      };
      signal.addEventListener('abort', onAbort, { once: true });
    });
    signal.throwIfAborted();
  }
}
