import { setTimeout as sleep } from 'node:timers/promises';
import { ChatPush, type ChatMessage } from '#libs/contracts/chat.js';
import { REDIS } from '#libs/contracts/names.js';
import { messageOf } from '#libs/errors/app-error.js';
import type { Logger } from '#libs/observability/logger.js';
import { parseJson } from './channels.js';
import type { RedisConnection } from './redis.js';

/** Batches kept at most; older ones go. */
const MOST_BATCHES = 5_000;
/** Batches read at a time, and how long to wait for the first, ms. */
const [BATCH, BLOCK_MS] = [100, 2_000];
/** A reader begins this far back, ms: what was sent in while a session moved from one monitor to another is not lost. */
const REPLAY_MS = 60_000;
const RETRY_MS = 1_000;

/** The api's end: passes messages that were sent in to whichever monitor watches their stream. */
export class ChatRelay {
  constructor(private readonly redis: RedisConnection) {}

  /** @throws when Redis is away: nothing was taken then, the sender may send again. */
  async publish(streamId: string, messages: readonly ChatMessage[]): Promise<void> {
    const push = JSON.stringify(ChatPush.parse({ v: 1, messages }));
    await this.redis.xadd(REDIS.chatPushes, 'MAXLEN', '~', MOST_BATCHES, '*', 'stream', streamId, 'push', push);
  }
}

/** The monitor's end: reads every batch, and hands on those of the streams that are watched here. */
export class ChatRelayReader {
  /** Batches that were not what they should be. */
  malformed = 0;
  private readonly listeners = new Map<string, (messages: readonly ChatMessage[]) => void>();
  private readonly stopping = new AbortController();
  private running: Promise<void> | null = null;
  private last: string;

  /** @param redis a connection that is used for nothing else, since reads block it. */
  constructor(
    private readonly redis: RedisConnection,
    private readonly logger: Logger,
    now: number,
  ) {
    this.last = `${Math.max(0, now - REPLAY_MS)}-0`;
  }

  start(): void {
    this.running ??= this.run();
  }

  /** Has the messages of a stream handed on. @returns how to end that */
  on(streamId: string, listener: (messages: readonly ChatMessage[]) => void): () => void {
    this.listeners.set(streamId, listener);
    return () => {
      if (this.listeners.get(streamId) === listener) this.listeners.delete(streamId);
    };
  }

  /** Ends at once: the connection is given up. */
  async stop(): Promise<void> {
    this.stopping.abort();
    this.redis.disconnect();
    await this.running;
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      try {
        const reply = await this.redis.xread(
          ...(['COUNT', BATCH, 'BLOCK', BLOCK_MS, 'STREAMS', REDIS.chatPushes, this.last] as const),
        );
        for (const [id, fields] of reply?.[0]?.[1] ?? []) {
          this.last = id;
          this.hand(fields);
        }
      } catch (error) {
        if (signal.aborted) return;
        this.logger.warn({ error: messageOf(error) }, 'pushed chat could not be read');
        await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  private hand(fields: readonly string[]): void {
    const entry = new Map<string, string>();
    for (let i = 0; i + 1 < fields.length; i += 2) entry.set(fields[i] ?? '', fields[i + 1] ?? '');
    const listener = this.listeners.get(entry.get('stream') ?? '');
    if (listener === undefined) return;
    const push = ChatPush.safeParse(parseJson(entry.get('push') ?? ''));
    if (push.success) listener(push.data.messages);
    else this.malformed += 1;
  }
}
