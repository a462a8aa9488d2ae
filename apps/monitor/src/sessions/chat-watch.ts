import { setImmediate as turn, setTimeout as wait } from 'node:timers/promises';
import type { CaptureJob } from '#libs/contracts/captures.js';
import type { ChatFigures, ChatLine, ChatMessage, ChatStatus } from '#libs/contracts/chat.js';
import type { PartReport } from '#libs/contracts/monitors.js';
import { AppError, messageOf } from '#libs/errors/app-error.js';
import type { Logger } from '#libs/observability/logger.js';
import type { ChatFeed } from '../chat/chat-feed.js';
import { MessageQueue } from '../chat/message-queue.js';
import { RecentIds } from '../chat/recent-ids.js';
import type { ChatSupervisor } from '../chat/supervisor.js';
import type { KeywordHit, KeywordWatch } from '../detectors/phrases/keyword-watch.js';
import type { EgressLane } from '../egress/egress-lane.js';
import type { Cooldowns } from '../pipeline/cooldowns.js';
import { nameBasedId } from '../pipeline/event-id.js';
import { ChatWindow, type ChatContext } from '../samplers/chat-window.js';
import type { Findings } from './findings.js';
import { PartState } from './part-state.js';
import type { SignalChange, SignalDesk } from './signal-desk.js';

/** Longest stretch of reading without letting others have a turn, ms. */
const SLICE_MS = 5;
/** Pushed messages that may wait. */
const QUEUE_LIMIT = 2_000;
/** Ids that are remembered, so that what comes twice or both ways is read once. */
const RECENT_LIMIT = 10_000;
/** The lines after a find are waited for so long, ms; looked at so often. */
const [CONTEXT_MS, SWEEP_MS] = [60_000, 5_000];
/** A line that was just received is not believed to be older than this, ms. */
const OLDEST_MS = 10 * 60_000;
/** Pause after a defect, ms. */
const RETRY_MS = 5_000;
/** What the contract calls a chat that its owner sends in. */
const PUSH = 'push';

/** Reads the mood of a room, line by line; its changes become findings as other signals do. */
export interface ChatMoodReader {
  /** @returns what began or ended with this line */
  read(message: ChatMessage): readonly SignalChange[];
  /** Time has passed without a line. @param at epoch ms */
  tick(at: number): readonly SignalChange[];
  /** The session is over. @param at epoch ms */
  end(at: number): readonly SignalChange[];
}

/** What reading a chat takes. */
export interface ChatWatchParts {
  chats: Pick<ChatSupervisor, 'follow' | 'locate'>;
  /** Opens the chat's own way out. */
  openLane: () => Promise<EgressLane>;
  /** Where pushed messages come from; null when nowhere. */
  pushes: { on(streamId: string, listener: (messages: readonly ChatMessage[]) => void): () => void } | null;
  keywords: Pick<KeywordWatch, 'inChat'>;
  cooldowns: Cooldowns;
  findings: Findings;
  signals: SignalDesk;
  mood: ChatMoodReader | null;
  now: () => number;
  logger: Logger;
  /** Told when the state changes; must not throw. */
  onState?: (report: PartReport) => void;
}

interface Found {
  eventId: string;
  kept: Promise<boolean>;
}

/** Reads the chat of one stream, followed and pushed in, and finds keywords in it. */
export class ChatWatch {
  readonly part: PartState;
  private readonly startedAt: number;
  private readonly recent = new RecentIds(RECENT_LIMIT);
  private readonly window = new ChatWindow<Found>();
  private readonly pushed = new MessageQueue<ChatMessage>(QUEUE_LIMIT);
  private readonly counts = { received: 0, duplicates: 0, lastAt: 0 };
  private feed: ChatFeed | null = null;
  private pictureLive = false;
  private sliceEnd = 0;

  constructor(
    private readonly job: CaptureJob,
    private readonly parts: ChatWatchParts,
  ) {
    this.part = new PartState(parts.now, true);
    this.startedAt = parts.now();
  }

  /** Reads until the signal aborts. Never rejects: whatever goes wrong is told and tried again. */
  async run(signal: AbortSignal): Promise<void> {
    const { parts, job } = this;
    const off = parts.pushes?.on(job.streamId, (messages) => this.push(messages));
    const sweep = setInterval(() => this.sweep(), SWEEP_MS);
    const ended = (): void => this.pushed.close();
    signal.addEventListener('abort', ended, { once: true });
    if (signal.aborted) ended();
    try {
      await Promise.all([this.readPushed(), this.follow(signal)]);
    } finally {
      off?.();
      clearInterval(sweep);
      this.follows(this.window.end());
      parts.mood?.end(parts.now()).forEach((change) => parts.signals.tell(change));
    }
  }

  /** Whether the stream's picture is live: only then is a silent chat a sign of something. */
  videoLive(live: boolean): void {
    this.pictureLive = live;
    this.feed?.videoLive(live);
  }

  figures(): ChatFigures {
    const { received, duplicates, lastAt } = this.counts;
    const followed = this.feed?.figures();
    return {
      received: received + (followed?.received ?? 0),
      duplicates: duplicates + (followed?.duplicates ?? 0),
      dropped: this.pushed.dropped + (followed?.dropped ?? 0),
      garbage: followed?.garbage ?? 0,
      truncated: followed?.truncated ?? 0,
      reconnects: followed?.reconnects ?? 0,
      lastMessageAt: Math.max(lastAt, followed?.lastMessageAt ?? 0) || null,
    };
  }

  private push(messages: readonly ChatMessage[]): void {
    this.counts.received += messages.length;
    this.counts.lastAt = this.parts.now();
    for (const message of messages) this.pushed.push(message);
    if (this.feed === null) this.set('live', 'Lines are sent in by whoever owns the chat.');
  }

  private async readPushed(): Promise<void> {
    for await (const message of this.pushed) await this.take(message);
  }

  private async follow(signal: AbortSignal): Promise<void> {
    const { chats } = this.parts;
    const wanted = this.job.chat ?? chats.locate(this.job.url);
    if (wanted === null) return this.set('off', 'The address names no chat that is known; lines may be sent in.');
    if (wanted.platform === PUSH) return this.set('live', 'Lines are sent in by whoever owns the chat.');
    while (!signal.aborted) {
      try {
        await this.followOnce({ options: {}, ...wanted }, signal);
      } catch (error) {
        if (error instanceof AppError && error.kind === 'user') return this.set('error', error.message);
        this.parts.logger.error({ streamId: this.job.streamId, error: messageOf(error) }, 'chat could not be read');
        this.set('degraded', `The chat could not be read: ${messageOf(error)}`);
        await wait(RETRY_MS, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  private async followOnce(
    { platform, channel, options }: { platform: string; channel: string; options: Readonly<Record<string, unknown>> },
    signal: AbortSignal,
  ): Promise<void> {
    const { streamId } = this.job;
    const lane = await this.parts.openLane();
    let stopping: Promise<void> | undefined;
    const stop = (): void => void (stopping = this.feed?.stop());
    try {
      const onStatus = (status: ChatStatus): void => this.tell(status);
      const feed = this.parts.chats.follow(platform, { streamId, channel, options }, lane, { onStatus });
      this.feed = feed;
      feed.videoLive(this.pictureLive);
      signal.addEventListener('abort', stop, { once: true });
      if (signal.aborted) stop();
      for await (const message of feed) await this.take(message);
    } finally {
      signal.removeEventListener('abort', stop);
      await (stopping ?? this.feed?.stop());
      await lane.close();
    }
  }

  private tell({ state, detail, silent }: ChatStatus): void {
    if (state === 'connecting') this.set('starting', detail);
    else if (state === 'auth_failed') this.set('error', detail);
    else if (state === 'live' && silent) {
      this.set('degraded', 'The chat is connected and the picture is live, but nobody has written for a long time.');
    } else if (state !== 'idle') this.set(state, detail);
  }

  private set(state: PartReport['state'], detail: string): void {
    this.part.set(state, detail);
    this.parts.onState?.(this.part.report());
  }

  /** Takes the next message. Lets others have a turn when reading has taken long enough. */
  private async take(message: ChatMessage): Promise<void> {
    this.read(message);
    if (performance.now() < this.sliceEnd) return;
    await turn();
    this.sliceEnd = performance.now() + SLICE_MS;
  }

  private read(message: ChatMessage): void {
    const { parts } = this;
    if (!this.recent.add(`${message.platform} ${message.externalId}`)) {
      this.counts.duplicates += 1;
      return;
    }
    this.follows(this.window.add(message));
    if (message.kind === 'deleted') return;
    parts.mood?.read(message).forEach((change) => parts.signals.tell(change));
    if (message.text === '') return;
    for (const hit of parts.keywords.inChat(message.text)) this.found(message, hit);
  }

  private found(message: ChatMessage, { rule, start, end, view, confidence }: KeywordHit): void {
    const { cooldowns, findings, now } = this.parts;
    const { platform, externalId, text, sentAt, receivedAt } = message;
    const at = now() - this.startedAt;
    if (!cooldowns.pass(rule.id, rule.cooldownMs, at)) return;
    const eventId = nameBasedId('chat', this.job.streamId, rule.id, platform, externalId);
    const startedAt = receivedAt - sentAt > OLDEST_MS ? receivedAt : Math.min(sentAt, receivedAt);
    const kept = findings.found({
      ...{ eventId, kind: 'chat', ruleId: rule.id, ruleVersion: rule.version, label: rule.label },
      ...{ severity: rule.severity, confidence, detector: 'phrases', model: 'phrases', detail: '' },
      ...{ startedAt, detectedAt: Math.max(startedAt, now()), message: lineOf(message) },
      before: this.window.before().map(lineOf),
      quote: { text, start, end, view, language: null },
    });
    this.follows(this.window.open({ eventId, kept }, now()));
    void kept.then((safe) => {
      if (safe) cooldowns.kept(rule.id, rule.cooldownMs, at);
      else cooldowns.refused(rule.id);
    });
  }

  private sweep(): void {
    const { mood, signals, now } = this.parts;
    this.follows(this.window.expire(now() - CONTEXT_MS));
    mood?.tick(now()).forEach((change) => signals.tell(change));
  }

  private follows(contexts: readonly ChatContext<Found>[]): void {
    for (const { hit, after } of contexts) {
      if (after.length > 0) this.parts.findings.followed(hit.eventId, after.map(lineOf), hit.kept);
    }
  }
}

/** What is kept of a message. */
function lineOf({ platform, externalId, userId, username, roles, text, sentAt, kind }: ChatMessage): ChatLine {
  return { platform, externalId, userId, username, roles, text, sentAt, kind };
}
