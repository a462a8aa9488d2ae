import { messageOf } from '#libs/errors/app-error.js';
import type { Clock } from '../capture/clock.js';
import { EgressError } from '../egress/egress-error.js';
import {
  ChatError,
  type ChatDraft,
  type ChatLane,
  type ChatLink,
  type ChatSource,
  type ChatTarget,
} from './chat-source.port.js';

/** What a connection needs of the feed it serves. */
export interface ConnectionOwner {
  readonly lane: ChatLane;
  readonly clock: Clock;
  readonly random: () => number;
  bookmark: string | null;
  admitted(signal: AbortSignal): Promise<void>;
  message(draft: ChatDraft): void;
  garbage(): void;
  /** The connection has joined its room. */
  joined(connection: ChatConnection): void;
}

/** Why a feed needs a new connection. `moving`: the present one still runs. */
export type Ending = { why: 'moving' } | { why: 'ended'; error: ChatError; defect?: unknown };

/** One connection of a feed, from the dial to its end. */
export class ChatConnection implements ChatLink {
  /** Epoch ms of the join; null before. */
  liveAt: number | null = null;
  /** When a new connection is needed: at the end, or when the server asks to move. Never rejects. */
  readonly finished: Promise<Ending>;
  /** Nothing of the connection is left. Never rejects. */
  readonly settled: Promise<void>;
  private readonly closing = new AbortController();
  private finish: (ending: Ending) => void = () => undefined;
  private ended = false;

  constructor(
    source: ChatSource,
    target: ChatTarget,
    private readonly owner: ConnectionOwner,
  ) {
    this.finished = new Promise((resolve) => {
      this.finish = resolve;
    });
    this.settled = this.run(source, target);
  }

  /** Whether it may still bring messages. */
  get open(): boolean {
    return !this.ended && !this.closing.signal.aborted;
  }

  get lane(): ChatLane {
    return this.owner.lane;
  }

  get clock(): Clock {
    return this.owner.clock;
  }

  get random(): () => number {
    return this.owner.random;
  }

  get bookmark(): string | null {
    return this.owner.bookmark;
  }

  set bookmark(place: string | null) {
    this.owner.bookmark = place;
  }

  admitted(signal: AbortSignal): Promise<void> {
    return this.owner.admitted(signal);
  }

  live(): void {
    if (!this.open || this.liveAt !== null) return;
    this.liveAt = this.clock.now();
    this.owner.joined(this);
  }

  message(draft: ChatDraft): void {
    if (this.open) this.owner.message(draft);
  }

  garbage(): void {
    if (this.open) this.owner.garbage();
  }

  moving(): void {
    if (this.open) this.finish({ why: 'moving' });
  }

  /** Ends it; `settled` tells when. */
  close(): void {
    this.closing.abort();
  }

  private async run(source: ChatSource, target: ChatTarget): Promise<void> {
    try {
      // The adapter starts in a turn of its own, when whoever made the connection holds it.
      await Promise.resolve();
      await source.connect(target, this, this.closing.signal);
      this.finish({ why: 'ended', error: new ChatError('lost', 'The chat server ended the connection.') });
    } catch (error) {
      this.finish({ why: 'ended', ...verdict(error) });
    } finally {
      this.ended = true;
    }
  }
}

function verdict(error: unknown): { error: ChatError; defect?: unknown } {
  if (error instanceof ChatError) return { error };
  if (error instanceof EgressError) return { error: new ChatError('lost', error.message, {}, { cause: error }) };
  return { error: new ChatError('lost', `The chat reader failed (${messageOf(error).slice(0, 200)}).`), defect: error };
}
