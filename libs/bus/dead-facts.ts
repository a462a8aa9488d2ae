import { REDIS } from '#libs/contracts/names.js';
import type { RedisConnection } from './redis.js';

/** Facts that could not be stored and were put aside. */
export class DeadFacts {
  constructor(private readonly redis: RedisConnection) {}

  /** How many there are. */
  count(): Promise<number> {
    return this.redis.xlen(REDIS.deadFacts);
  }

  /** Removes those that were put aside before an instant. @returns how many. */
  removeBefore(instant: Date): Promise<number> {
    return this.redis.xtrim(REDIS.deadFacts, 'MINID', `${String(instant.getTime())}-0`);
  }
}
