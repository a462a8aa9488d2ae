import { REDIS } from '#libs/contracts/names.js';
import type { RedisConnection } from './redis.js';

/** Hands out session numbers, each larger than any before it for the same stream. */
export class SessionNumbers {
  constructor(
    private readonly redis: RedisConnection,
    private readonly now: () => number = Date.now,
  ) {}

  /**
   * The next number of a stream. A counter that is missing starts at the current time in ms, so numbers grow even
   * across a wiped Redis: a stream has far fewer than one session a millisecond.
   */
  async next(streamId: string): Promise<number> {
    const key = REDIS.sessionPrefix + streamId;
    await this.redis.set(key, this.now(), 'NX');
    return this.redis.incr(key);
  }
}
