import { FactEnvelope } from '#libs/contracts/facts.js';
import { REDIS } from '#libs/contracts/names.js';
import { messageOf } from '#libs/errors/app-error.js';
import { parseJson } from './channels.js';
import type { RedisConnection } from './redis.js';

/** Dead letters kept at most; older ones go. */
const MOST_DEAD_FACTS = 10_000;

/** The monitor's end of the fact stream. */
export class FactPublisher {
  constructor(private readonly redis: RedisConnection) {}

  /**
   * Appends serialised envelopes in order, in one round trip.
   * @returns the entry ids, as many as were given.
   * @throws the first failure; entries before it may have been appended, which is harmless: the api absorbs doubles.
   */
  async append(envelopes: readonly string[]): Promise<string[]> {
    const pipeline = this.redis.pipeline();
    for (const envelope of envelopes) pipeline.xadd(REDIS.facts, '*', 'fact', envelope);
    const replies = (await pipeline.exec()) ?? [];
    return replies.map(([error, id]) => {
      if (error !== null) throw error;
      return String(id);
    });
  }

  /** Whether an entry is still in the stream: neither stored by the api yet nor lost with Redis. */
  async holds(entryId: string): Promise<boolean> {
    return (await this.redis.xrange(REDIS.facts, entryId, entryId)).length > 0;
  }
}

/** One entry as the api reads it; `envelope` is null when it does not fit its schema, `fault` says why. */
export interface FactEntry {
  id: string;
  raw: string;
  envelope: FactEnvelope | null;
  fault: string | null;
}

/** The api's end of the fact stream: one reader at a time, see the ingest's leader lock. */
export class FactConsumer {
  /** @param redis a connection that is used for nothing else, since reads block it. */
  constructor(
    private readonly redis: RedisConnection,
    private readonly consumer: string,
  ) {}

  /** Makes the stream and its group when they are missing (also after Redis was wiped). */
  async ensureGroup(): Promise<void> {
    try {
      await this.redis.xgroup('CREATE', REDIS.facts, REDIS.factsGroup, '0', 'MKSTREAM');
    } catch (error) {
      if (!messageOf(error).startsWith('BUSYGROUP')) throw error;
    }
  }

  /** Takes over entries that another consumer read and never settled, oldest first. */
  async claimAbandoned(count: number, idleMs: number): Promise<FactEntry[]> {
    const reply = await this.redis.xautoclaim(
      REDIS.facts,
      REDIS.factsGroup,
      this.consumer,
      idleMs,
      '0-0',
      'COUNT',
      count,
    );
    return entriesOf(reply[1]);
  }

  /** Reads up to `count` new entries, waiting up to `blockMs` for the first. */
  async read(count: number, blockMs: number): Promise<FactEntry[]> {
    const reply = (await this.redis.xreadgroup(
      'GROUP',
      REDIS.factsGroup,
      this.consumer,
      'COUNT',
      count,
      'BLOCK',
      blockMs,
      'STREAMS',
      REDIS.facts,
      '>',
    )) as [string, unknown][] | null;
    return reply === null ? [] : entriesOf(reply[0]?.[1]);
  }

  /** Settles entries: they are acknowledged and removed. */
  async settle(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    await this.redis
      .pipeline()
      .xack(REDIS.facts, REDIS.factsGroup, ...ids)
      .xdel(REDIS.facts, ...ids)
      .exec();
  }

  /** Puts an entry that cannot be stored aside, with the reason. */
  async bury(entry: FactEntry, reason: string): Promise<void> {
    await this.redis.xadd(
      REDIS.deadFacts,
      'MAXLEN',
      '~',
      MOST_DEAD_FACTS,
      '*',
      'fact',
      entry.raw,
      'reason',
      reason.slice(0, 500),
    );
  }
}

function entriesOf(reply: unknown): FactEntry[] {
  if (!Array.isArray(reply)) return [];
  return (reply as [string, string[] | null][]).flatMap(([id, fields]): FactEntry[] => {
    if (fields === null) return [];
    const raw = fields[fields.indexOf('fact') + 1] ?? '';
    const parsed = FactEnvelope.safeParse(parseJson(raw));
    return parsed.success
      ? [{ id, raw, envelope: parsed.data, fault: null }]
      : [{ id, raw, envelope: null, fault: parsed.error.issues[0]?.message ?? 'does not fit the contract' }];
  });
}
