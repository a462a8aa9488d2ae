import type { z } from 'zod';
import { messageOf } from '#libs/errors/app-error.js';
import type { Logger } from '#libs/observability/logger.js';
import type { RedisConnection } from './redis.js';

/** Sends hints: fire and forget, nobody may depend on their arrival. */
export class HintPublisher {
  constructor(private readonly redis: RedisConnection) {}

  /** Publishes a payload that fits `schema`; a Redis that is away is no error, the reconciler makes up for it. */
  async publish<Schema extends z.ZodType>(channel: string, schema: Schema, payload: z.input<Schema>): Promise<void> {
    const text = JSON.stringify(schema.parse(payload));
    await this.redis.publish(channel, text).catch(() => 0);
  }
}

/** Receives hints on a connection of its own. Payloads that do not fit their schema are counted and left out. */
export class HintSubscriber {
  private readonly listeners = new Map<string, { schema: z.ZodType; listener: (payload: unknown) => void }>();
  /** Messages that were not what their channel promises. */
  malformed = 0;

  /** @param redis a connection that is used for nothing else. */
  constructor(
    private readonly redis: RedisConnection,
    private readonly logger: Logger,
  ) {
    redis.on('message', (channel: string, text: string) => this.receive(channel, text));
  }

  /** Listens to a channel; one listener for each. */
  async on<Schema extends z.ZodType>(
    channel: string,
    schema: Schema,
    listener: (payload: z.output<Schema>) => void,
  ): Promise<void> {
    this.listeners.set(channel, { schema, listener: listener as (payload: unknown) => void });
    await this.redis.subscribe(channel);
  }

  private receive(channel: string, text: string): void {
    const entry = this.listeners.get(channel);
    if (entry === undefined) return;
    const parsed = entry.schema.safeParse(parseJson(text));
    if (parsed.success) {
      try {
        entry.listener(parsed.data);
      } catch (error) {
        // One listener must not take the connection, and all others, down with it.
        this.logger.error({ channel, error: messageOf(error) }, 'the listener of a hint failed');
      }
    } else {
      this.malformed += 1;
      this.logger.warn(
        { channel, issues: parsed.error.issues.slice(0, 3) },
        'a hint was left out: it does not fit its schema',
      );
    }
  }
}

/** JSON text to a value, undefined when it is no JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
