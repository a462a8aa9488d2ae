import { z } from 'zod';
import { REDIS } from '#libs/contracts/names.js';
import { parseJson } from './channels.js';
import type { RedisConnection } from './redis.js';

const Users = z.array(z.uuid()).max(100_000);
/** At most so many processes are asked. */
const MOST_PROCESSES = 1_000;

/** Who is connected to which api process: each keeps its own entry alive, one that is not renewed vanishes. */
export class PresenceBoard {
  constructor(private readonly redis: RedisConnection) {}

  /** Writes or renews what one process says; it vanishes after `ttlMs` without another. */
  async announce(processId: string, userIds: readonly string[], ttlMs: number): Promise<void> {
    await this.redis.set(REDIS.presencePrefix + processId, JSON.stringify(userIds), 'PX', ttlMs);
  }

  /** Takes a process's entry away at once: it stops in order. */
  async withdraw(processId: string): Promise<void> {
    await this.redis.del(REDIS.presencePrefix + processId);
  }

  /** Everybody who is connected anywhere. Entries that do not fit are left out. */
  async online(): Promise<Set<string>> {
    const keys = new Set<string>();
    let cursor = '0';
    do {
      const [next, found] = await this.redis.scan(cursor, 'MATCH', `${REDIS.presencePrefix}*`, 'COUNT', 500);
      for (const key of found) keys.add(key);
      cursor = next;
    } while (cursor !== '0' && keys.size < MOST_PROCESSES);
    if (keys.size === 0) return new Set();
    const texts = await this.redis.mget([...keys]);
    return new Set(texts.flatMap((text) => Users.safeParse(text === null ? undefined : parseJson(text)).data ?? []));
  }
}
