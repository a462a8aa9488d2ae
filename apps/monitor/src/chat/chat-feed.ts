import type { ChatFigures, ChatMessage, ChatState, ChatStatus } from '#libs/contracts/chat.js';
import { messageOf } from '#libs/errors/app-error.js';
import type { Logger } from '#libs/observability/logger.js';
import { Backoff } from '../capture/backoff.js';
import type { Clock } from '../capture/clock.js';
import { ChatConnection, type ConnectionOwner, type Ending } from './chat-connection.js';
import type { ChatDraft, ChatLane, ChatSource, ChatTarget } from './chat-source.port.js';
import { MessageQueue } from './message-queue.js';
import { RecentIds } from './recent-ids.js';
import { seal } from './seal.js';
import { Silence } from './silence.js';

/** Messages that may wait for their reader. */
const QUEUE_LIMIT = 2_000;
/** Ids that are remembered: two seconds of a flood, hours of a quiet room. */
const RECENT_LIMIT = 10_000;
/** After so long without trouble the back-off starts from the beginning. */
const HEALTHY_MS = 60_000;
/** A room that is not open is looked for about once a minute. */
const OFFLINE_RETRY_MS = 60_000;
const SILENT_AFTER_MS = 10 * 60_000;

/** What a feed works with. */
export interface FeedParts {
  source: ChatSource;
  target: ChatTarget;
  lane: ChatLane;
  clock: Clock;
  /** From 0 (included) to 1 (not). */
  random: () => number;
  logger: Logger;
  /** Waits for a turn within the join budget. */
  admitted: (signal: AbortSignal) => Promise<void>;
  /** Told of every change; must not throw. */
  onStatus?: (status: ChatStatus) => void;
  /** How long a live stream's chat may say nothing, ms. 10 minutes when unset. */
  silentAfterMs?: number;
  queueLimit?: number;
  /** Called once the feed has ended. */
  onStopped?: (feed: ChatFeed) => void;
}

/**
 * The chat of one stream, kept up through every fault: an iterable of messages for one reader, with a state and
 * counts beside it. Ends when it is stopped.
 */
export class ChatFeed implements AsyncIterable<ChatMessage>, ConnectionOwner {
  bookmark: string | null = null;
  private readonly closing = new AbortController();
  private readonly queue: MessageQueue<ChatMessage>;
  private readonly recent = new RecentIds(RECENT_LIMIT);
  private readonly backoff: Backoff;
  private readonly silence: Silence;
  private readonly counts = { received: 0, duplicates: 0, garbage: 0, truncated: 0 };
  private readonly connections = new Set<ChatConnection>();
  private dials = 0;
  private lastMessageAt: number | null = null;
  private pictureLive = false;
  private state: { state: ChatState; detail: string; since: number };
  private readonly running: Promise<void>;

  constructor(private readonly parts: FeedParts) {
    this.queue = new MessageQueue(parts.queueLimit ?? QUEUE_LIMIT);
    this.backoff = new Backoff(parts.random, { healthyMs: HEALTHY_MS });
    this.silence = new Silence(parts.silentAfterMs ?? SILENT_AFTER_MS, parts.clock, () => this.tell());
    this.state = { state: 'idle', detail: '', since: parts.clock.now() };
    this.set('connecting', '');
    this.running = this.run();
  }

  get lane(): ChatLane {
    return this.parts.lane;
  }

  get clock(): Clock {
    return this.parts.clock;
  }

  get random(): () => number {
    return this.parts.random;
  }

  /** The messages, in the order in which they came. For one reader, who may be slow: see `dropped`. */
  [Symbol.asyncIterator](): AsyncGenerator<ChatMessage, void, void> {
    return this.queue[Symbol.asyncIterator]();
  }

  status(): ChatStatus {
    return { ...this.state, silent: this.silence.silent };
  }

  figures(): ChatFigures {
    return {
      ...this.counts,
      dropped: this.queue.dropped,
      reconnects: Math.max(0, this.dials - 1),
      lastMessageAt: this.lastMessageAt,
    };
  }

  /** Says whether the stream's picture is live: only then is a silent chat a sign of something. */
  videoLive(live: boolean): void {
    this.pictureLive = live;
    this.silence.expect(live && this.state.state === 'live');
  }

  /** Ends the feed; messages that wait can still be read. Resolves when no connection is left. */
  async stop(): Promise<void> {
    this.closing.abort();
    for (const connection of this.connections) connection.close();
    await this.running;
    await Promise.all([...this.connections].map(({ settled }) => settled));
    this.set('idle', '');
    this.queue.close();
    this.parts.onStopped?.(this);
  }

  admitted(signal: AbortSignal): Promise<void> {
    return this.parts.admitted(signal);
  }

  message(draft: ChatDraft): void {
    const { source, target, clock } = this.parts;
    const sealed = seal(draft, {
      ...{ platform: source.descriptor.id, streamId: target.streamId, receivedAt: clock.now() },
    });
    if (sealed === null) {
      this.garbage();
      return;
    }
    const { message, truncated } = sealed;
    if (!this.recent.add(message.externalId)) {
      this.counts.duplicates += 1;
      return;
    }
    this.counts.received += 1;
    if (truncated) this.counts.truncated += 1;
    this.lastMessageAt = message.receivedAt;
    this.queue.push(message);
    this.silence.heard();
  }

  garbage(): void {
    this.counts.garbage += 1;
  }

  joined(connection: ChatConnection): void {
    for (const other of this.connections) if (other !== connection) other.close();
    this.set('live', '');
  }

  private async run(): Promise<void> {
    while (!this.closing.signal.aborted) {
      const connection = this.dial();
      const ending = await connection.finished;
      if (this.closing.signal.aborted) return;
      // Whoever is told to move before being in has not got in.
      if (ending.why === 'ended' || connection.liveAt === null) connection.close();
      const delayMs = this.judge(connection, ending);
      if (delayMs === null) return;
      await this.wait(delayMs);
    }
  }

  private dial(): ChatConnection {
    this.dials += 1;
    const connection = new ChatConnection(this.parts.source, this.parts.target, this);
    this.connections.add(connection);
    void connection.settled.then(() => {
      this.connections.delete(connection);
      // The old connection of a move may end before the new one is live.
      if (this.state.state === 'live' && this.connections.size === 0) this.set('degraded', 'The chat is reconnecting.');
    });
    return connection;
  }

  /** @returns how long to wait before the next connection; null when there must be none */
  private judge(connection: ChatConnection, ending: Ending): number | null {
    const now = this.clock.now();
    const ranMs = connection.liveAt === null ? 0 : now - connection.liveAt;
    const healthy = ranMs >= HEALTHY_MS;
    if (ending.why === 'moving' && healthy) return 0;
    const { delayMs } = this.backoff.failed(now, ranMs);
    if (ending.why === 'moving') return delayMs;
    const { error, defect } = ending;
    const { streamId } = this.parts.target;
    if (defect === undefined)
      this.parts.logger.info({ streamId, outcome: error.outcome, detail: error.message }, 'chat ended');
    else this.parts.logger.error({ streamId, error: messageOf(defect) }, 'a chat source has a defect');
    const upStill = [...this.connections].some((other) => other !== connection && other.open && other.liveAt !== null);
    if (error.outcome === 'refused') {
      this.closeAll();
      this.set('auth_failed', error.message);
      return null;
    }
    if (!upStill) this.set(error.outcome === 'offline' ? 'offline' : 'degraded', error.message);
    if (error.outcome === 'offline') {
      return Math.max(error.retry.afterMs ?? 0, Math.round(OFFLINE_RETRY_MS * (1 - this.random() / 2)));
    }
    if (error.retry.atOnce === true && healthy) return 0;
    return Math.max(error.retry.afterMs ?? 0, delayMs);
  }

  private closeAll(): void {
    for (const connection of this.connections) connection.close();
  }

  private wait(ms: number): Promise<void> {
    const { signal } = this.closing;
    if (ms <= 0 || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const cancel = this.clock.after(ms, () => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      });
      const onAbort = (): void => {
        cancel();
        resolve();
      };
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }

  private set(state: ChatState, detail: string): void {
    if (this.state.state === state && this.state.detail === detail) return;
    const since = this.state.state === state ? this.state.since : this.clock.now();
    this.state = { state, detail: detail.slice(0, 500), since };
    this.tell();
    this.silence.expect(this.pictureLive && state === 'live');
  }

  private tell(): void {
    this.parts.onStatus?.(this.status());
  }
}
