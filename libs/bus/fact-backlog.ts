import { REDIS } from '#libs/contracts/names.js';
import type { RedisConnection } from './redis.js';

/** How far the api is behind the monitors. */
export class FactBacklog {
  constructor(private readonly redis: RedisConnection) {}

  /** Facts that wait, and how old the oldest is, ms. */
  async read(): Promise<{ waiting: number; oldestMs: number; dead: number }> {
    const [waiting, dead, [oldest]] = await Promise.all([
      this.redis.xlen(REDIS.facts),
      this.redis.xlen(REDIS.deadFacts),
      this.redis.xrange(REDIS.facts, '-', '+', 'COUNT', 1),
    ]);
    const at = Number(oldest?.[0].split('-')[0]);
    return { waiting, dead, oldestMs: Number.isFinite(at) ? Math.max(0, Date.now() - at) : 0 };
  }
}
