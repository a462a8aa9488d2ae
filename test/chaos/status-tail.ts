import { connectRedis, type RedisConnection } from '#libs/bus/redis.js';
import { StreamStatusChanged } from '#libs/contracts/facts.js';
import { REDIS } from '#libs/contracts/names.js';
import { createLogger } from '#libs/observability/logger.js';

/** Time that one read waits for the next entry, ms. */
const BLOCK_MS = 1_000;
/** Entries of one read. */
const MOST = 500;

/** Hears what sessions say of themselves, on its way to the api: the api keeps the newest word of the newest alone. */
export class StatusTail {
  readonly heard: StreamStatusChanged[] = [];
  private readonly redis: RedisConnection;
  private readonly reading: Promise<void>;
  private isOver = false;

  constructor(redisUrl: string) {
    this.redis = connectRedis(redisUrl, 'status-tail', createLogger('status-tail', 'silent'));
    this.reading = this.read();
  }

  /** What the newest session of a stream said first. */
  newest(streamId: string): StreamStatusChanged | undefined {
    const said = this.heard.filter((fact) => fact.streamId === streamId);
    return said.reduce<StreamStatusChanged | undefined>(
      (newest, fact) => (newest === undefined || fact.session > newest.session ? fact : newest),
      undefined,
    );
  }

  async stop(): Promise<void> {
    this.isOver = true;
    this.redis.disconnect();
    await this.reading;
  }

  private async read(): Promise<void> {
    let last = '$';
    while (!this.isOver) {
      const reply = await this.redis
        .xread('COUNT', MOST, 'BLOCK', BLOCK_MS, 'STREAMS', REDIS.facts, last)
        .catch(() => null);
      for (const [id, fields] of reply?.[0]?.[1] ?? []) {
        last = id;
        const envelope = JSON.parse(fields[fields.indexOf('fact') + 1] ?? '{}') as { fact?: unknown };
        const fact = StreamStatusChanged.safeParse(envelope.fact);
        if (fact.success) this.heard.push(fact.data);
      }
      // Between two reads of `$` an entry might be missed.
      if (last === '$')
        last = (await this.redis.xrevrange(REDIS.facts, '+', '-', 'COUNT', 1).catch(() => []))[0]?.[0] ?? '0';
    }
  }
}
