import { REDIS } from '#libs/contracts/names.js';
import type { RedisConnection } from './redis.js';

/** A fact that could not be stored. */
export interface DeadFact {
  /** Id of its entry; its first half is the time at which it was put aside, epoch ms. */
  id: string;
  /** The envelope as it came. */
  raw: string;
  reason: string;
}

/** Facts that the ingest put aside. */
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

  /** Newest first. @param before only those older than this entry; null begins with the newest */
  async list(before: string | null, limit: number): Promise<DeadFact[]> {
    const from = before === null ? '+' : `(${before}`;
    return (await this.redis.xrevrange(REDIS.deadFacts, from, '-', 'COUNT', limit)).map(deadFactOf);
  }

  /**
   * Puts facts back onto the stream, the oldest first. The ingest takes them as doubles of what it has passed: they
   * are stored, or put aside again. One that is asked for twice at once may be put back twice, which changes nothing.
   * @param ids null for whichever are there
   * @returns how many there were
   */
  async redrive(ids: readonly string[] | null, most: number): Promise<number> {
    const entries = ids === null ? await this.redis.xrange(REDIS.deadFacts, '-', '+', 'COUNT', most) : [];
    for (const id of (ids ?? []).slice(0, most)) entries.push(...(await this.redis.xrange(REDIS.deadFacts, id, id)));
    for (const { id, raw } of entries.map(deadFactOf)) {
      const replies = await this.redis.multi().xadd(REDIS.facts, '*', 'fact', raw).xdel(REDIS.deadFacts, id).exec();
      for (const [error] of replies ?? []) if (error !== null) throw error;
    }
    return entries.length;
  }
}

function deadFactOf([id, fields]: [id: string, fields: string[]]): DeadFact {
  const field = (name: string): string => fields[fields.indexOf(name) + 1] ?? '';
  return { id, raw: field('fact'), reason: field('reason') };
}
