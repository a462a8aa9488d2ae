import { createHash } from 'node:crypto';
import { REDIS } from '#libs/contracts/names.js';
import { AppError } from '#libs/errors/app-error.js';
import type { RedisConnection } from './redis.js';

/** How long a message is remembered, ms. */
const KEEP_MS = 600_000;
/** Messages remembered of one stream at most; older ones go. */
const MOST_MARKS = 100_000;

/** Remembers which pushed messages of a stream were taken, over all processes of the api. */
export class ChatMarks {
  constructor(private readonly redis: RedisConnection) {}

  /** Which of these message ids were taken within the last ten minutes. */
  async taken(streamId: string, ids: readonly string[], now: number): Promise<Set<string>> {
    if (ids.length === 0) return new Set();
    const scores = await this.redis.zmscore(keyOf(streamId), ...ids.map(memberOf));
    return new Set(ids.filter((_id, index) => Number(scores[index] ?? 0) > now - KEEP_MS));
  }

  /** Remembers that these were taken. */
  async mark(streamId: string, ids: readonly string[], now: number): Promise<void> {
    const key = keyOf(streamId);
    const replies = await this.redis
      .multi()
      .zadd(key, ...ids.flatMap((id) => [now, memberOf(id)]))
      .zremrangebyscore(key, '-inf', now - KEEP_MS)
      .zremrangebyrank(key, 0, -MOST_MARKS - 1)
      .pexpire(key, KEEP_MS)
      .exec();
    const fault = replies?.find(([error]) => error !== null)?.[0];
    if (fault !== undefined || replies === null) {
      throw new AppError('redis.unavailable', 'operational', 'Redis did not remember.', {}, { cause: fault });
    }
  }
}

function keyOf(streamId: string): string {
  return REDIS.chatMarksPrefix + streamId;
}

/** The platform chooses the ids; a digest bounds their length. */
function memberOf(id: string): string {
  return createHash('sha256').update(id).digest('base64url').slice(0, 22);
}
