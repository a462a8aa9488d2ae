import { MonitorHeartbeat } from '#libs/contracts/monitors.js';
import { REDIS } from '#libs/contracts/names.js';
import { parseJson } from './channels.js';
import type { RedisConnection } from './redis.js';

/** At most so many monitors are listed. */
const MOST_MONITORS = 1_000;

/** Who is there: each monitor keeps its own entry alive, an entry that is not renewed vanishes. */
export class MonitorDirectory {
  constructor(private readonly redis: RedisConnection) {}

  /** Writes or renews a monitor's entry; it vanishes after `ttlMs` without another. */
  async announce(heartbeat: MonitorHeartbeat, ttlMs: number): Promise<void> {
    await this.redis.set(
      REDIS.monitorPrefix + heartbeat.monitorId,
      JSON.stringify(MonitorHeartbeat.parse(heartbeat)),
      'PX',
      ttlMs,
    );
  }

  /** Takes a monitor's entry away at once: it stops in order. */
  async withdraw(monitorId: string): Promise<void> {
    await this.redis.del(REDIS.monitorPrefix + monitorId);
  }

  /** All monitors that are there, by id. Entries that do not fit are left out. */
  async list(): Promise<MonitorHeartbeat[]> {
    const keys = new Set<string>();
    let cursor = '0';
    do {
      const [next, found] = await this.redis.scan(cursor, 'MATCH', `${REDIS.monitorPrefix}*`, 'COUNT', 500);
      for (const key of found) keys.add(key);
      cursor = next;
    } while (cursor !== '0' && keys.size < MOST_MONITORS);
    if (keys.size === 0) return [];
    const texts = await this.redis.mget([...keys].sort());
    return texts.flatMap((text) => {
      const parsed = MonitorHeartbeat.safeParse(text === null ? undefined : parseJson(text));
      return parsed.success ? [parsed.data] : [];
    });
  }
}
