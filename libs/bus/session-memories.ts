import { SessionMemory } from '#libs/contracts/captures.js';
import { REDIS } from '#libs/contracts/names.js';
import { parseJson } from './channels.js';
import { within } from './deadline.js';
import type { RedisConnection } from './redis.js';

/** How long a memory waits for whoever takes the stream over, ms. */
const TIME_TO_LIVE_MS = 60_000;
/** A finding does not wait for Redis any longer than this, ms. */
const PATIENCE_MS = 1_000;

/** What sessions leave for those that take their stream over. */
export class SessionMemories {
  constructor(private readonly redis: RedisConnection) {}

  /** Never rejects: without a memory what is there may be reported once more. */
  async leave(streamId: string, memory: SessionMemory): Promise<void> {
    const key = REDIS.memoryPrefix + streamId;
    const text = JSON.stringify(SessionMemory.parse(memory));
    // What an earlier session left is void, also when this one has nothing to say.
    const left = memory.rules.length === 0 ? this.redis.del(key) : this.redis.set(key, text, 'PX', TIME_TO_LIVE_MS);
    await within<unknown>(PATIENCE_MS, left).catch(() => null);
  }

  /** What the session before has left; null when there is nothing, or no Redis. Only one gets it. */
  async take(streamId: string): Promise<SessionMemory | null> {
    const text = await within(PATIENCE_MS, this.redis.getdel(REDIS.memoryPrefix + streamId)).catch(() => null);
    const parsed = SessionMemory.safeParse(text === null ? undefined : parseJson(text));
    return parsed.success ? parsed.data : null;
  }
}
