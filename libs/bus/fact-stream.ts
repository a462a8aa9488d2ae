import { z } from 'zod';
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

/** Where a fact came from: all of its envelope but the fact. */
const FactOrigin = FactEnvelope.omit({ fact: true });
export type FactOrigin = z.infer<typeof FactOrigin>;

/** One entry as the api reads it; `envelope` is null when it does not fit its schema, `fault` says why. */
export interface FactEntry {
  id: string;
  raw: string;
  /** Known even when the fact itself does not fit, so that its spool need not wait for it; null when unreadable. */
  origin: FactOrigin | null;
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

  /** Reads up to `count` new entries, waiting up to `blockMs` for the first; null takes what is there. */
  async read(count: number, blockMs: number | null): Promise<FactEntry[]> {
    const [group, stream] = [
      ['GROUP', REDIS.factsGroup, this.consumer] as const,
      ['STREAMS', REDIS.facts, '>'] as const,
    ];
    const reply = (await (blockMs === null
      ? this.redis.xreadgroup(...group, 'COUNT', count, ...stream)
      : this.redis.xreadgroup(...group, 'COUNT', count, 'BLOCK', blockMs, ...stream))) as [string, unknown][] | null;
    return reply === null ? [] : entriesOf(reply[0]?.[1]);
  }

  /**
   * Settles entries: they are acknowledged and removed.
   * @throws when Redis did not do so; the entries then come again through {@link claimAbandoned}.
   */
  async settle(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    const replies = await this.redis
      .pipeline()
      .xack(REDIS.facts, REDIS.factsGroup, ...ids)
      .xdel(REDIS.facts, ...ids)
      .exec();
    for (const [error] of replies ?? []) if (error !== null) throw error;
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

/** Entries out of a reply; before Redis 7 a claimed entry that is gone comes as nil. */
function entriesOf(reply: unknown): FactEntry[] {
  if (!Array.isArray(reply)) return [];
  return (reply as ([string, string[] | null] | null)[]).flatMap((item): FactEntry[] => {
    const [id, fields] = item ?? ['', null];
    if (fields === null) return [];
    const at = fields.indexOf('fact');
    return [entryOf(id, at === -1 ? '' : (fields[at + 1] ?? ''))];
  });
}

function entryOf(id: string, raw: string): FactEntry {
  const value = parseJson(raw);
  const parsed = FactEnvelope.safeParse(value);
  if (parsed.success) return { id, raw, origin: parsed.data, envelope: parsed.data, fault: null };
  const origin = FactOrigin.safeParse(value);
  const { path, message } = parsed.error.issues[0] ?? { path: [], message: 'does not fit the contract' };
  return {
    id,
    raw,
    origin: origin.success ? origin.data : null,
    envelope: null,
    fault: `${path.join('.') || 'fact'}: ${message}`,
  };
}
