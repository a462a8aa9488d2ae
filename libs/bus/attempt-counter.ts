import { REDIS } from '#libs/contracts/names.js';
import { AppError } from '#libs/errors/app-error.js';
import { within } from './deadline.js';
import type { RedisConnection } from './redis.js';

/** Redis is asked for so long at most, in ms. */
const PATIENCE_MS = 500;

/** What a counter says after an attempt. */
export interface Attempts {
  /** Attempts in the current window, this one included. */
  count: number;
  /** When the window ends, in ms from now. */
  resetMs: number;
}

/** Counts attempts in fixed windows, shared by all processes. */
export class AttemptCounter {
  constructor(private readonly redis: RedisConnection) {}

  /** @throws when Redis is away or does not answer at once; the caller then counts by itself. */
  async increment(key: string, windowMs: number): Promise<Attempts> {
    const name = REDIS.attemptsPrefix + key;
    const replies = await within(
      PATIENCE_MS,
      this.redis.multi().set(name, 0, 'PX', windowMs, 'NX').incr(name).pttl(name).exec(),
    );
    const [error, count] = replies?.[1] ?? [null, null];
    if (error !== null || typeof count !== 'number') {
      throw new AppError('redis.unavailable', 'operational', 'Redis did not count an attempt.', {}, { cause: error });
    }
    const left = Number(replies?.[2]?.[1]);
    return { count, resetMs: left > 0 ? left : windowMs };
  }

  async reset(key: string): Promise<void> {
    await within(PATIENCE_MS, this.redis.del(REDIS.attemptsPrefix + key));
  }

  /** Takes one attempt back. */
  async forgive(key: string): Promise<void> {
    const name = REDIS.attemptsPrefix + key;
    // Without a window there is nothing to take back, and a counter below 0 would have no end.
    if ((await within(PATIENCE_MS, this.redis.decr(name))) <= 0) await this.reset(key);
  }
}
