import { Watermark } from '#libs/contracts/facts.js';
import { CHANNELS, REDIS } from '#libs/contracts/names.js';
import { HintPublisher, type HintSubscriber } from './channels.js';
import type { RedisConnection } from './redis.js';

/** How far each spool is committed: written by the api after its commit, read by the spool's owner. */
export class WatermarkBoard {
  private readonly hints: HintPublisher;

  constructor(private readonly redis: RedisConnection) {
    this.hints = new HintPublisher(redis);
  }

  /** Publishes a committed watermark, as key and as hint. */
  async publish(mark: Watermark): Promise<void> {
    await this.redis.hset(REDIS.watermarks, mark.spoolId, String(mark.seq));
    await this.hints.publish(CHANNELS.watermark, Watermark, mark);
  }

  /** The committed watermark of a spool; 0 when none is known (a fresh or wiped Redis). */
  async read(spoolId: string): Promise<number> {
    const text = await this.redis.hget(REDIS.watermarks, spoolId);
    const seq = Number(text ?? 0);
    return Number.isSafeInteger(seq) && seq > 0 ? seq : 0;
  }

  /** Calls back for every watermark hint, of any spool. */
  static listen(subscriber: HintSubscriber, listener: (mark: Watermark) => void): Promise<void> {
    return subscriber.on(CHANNELS.watermark, Watermark, listener);
  }
}
