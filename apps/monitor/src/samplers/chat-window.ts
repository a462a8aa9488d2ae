import type { ChatMessage } from '#libs/contracts/chat.js';

/** Lines before a hit, and lines after it, that are kept. */
const REACH = 10;
/** Hits that may wait for the lines after them. */
const OPEN_LIMIT = 50;

/** A hit with what was said around it. */
export interface ChatContext<Hit> {
  hit: Hit;
  /** The line of the hit itself. */
  message: ChatMessage;
  /** At most {@link REACH}, oldest first. */
  before: readonly ChatMessage[];
  /** At most {@link REACH}, oldest first; fewer when the window was ended early. */
  after: readonly ChatMessage[];
}

interface OpenContext<Hit> {
  hit: Hit;
  /** When it was opened, in the clock of the caller. */
  at: number;
  message: ChatMessage;
  before: readonly ChatMessage[];
  after: ChatMessage[];
}

/**
 * Keeps the last lines of one chat, so that a hit can be shown in what was said around it. Pure: for each message
 * `add` it first, and `open` a context when it was a hit; contexts come out of `add` and `end` when they are complete.
 */
export class ChatWindow<Hit> {
  private lines: ChatMessage[] = [];
  private waiting: OpenContext<Hit>[] = [];

  /** Takes the next line. @returns the contexts that it completed */
  add(message: ChatMessage): ChatContext<Hit>[] {
    for (const context of this.waiting) context.after.push(message);
    this.lines.push(message);
    if (this.lines.length > REACH + 1) this.lines.shift();
    return this.release((context) => context.after.length >= REACH);
  }

  /**
   * Notes a hit in the line added last.
   * @param at the time, in whatever clock {@link expire} is told
   * @returns contexts that had to give way, the oldest, when too many wait
   */
  open(hit: Hit, at = 0): ChatContext<Hit>[] {
    const message = this.lines.at(-1);
    if (message === undefined) return [];
    this.waiting.push({ hit, at, message, before: this.before(), after: [] });
    return this.waiting.length > OPEN_LIMIT ? this.waiting.splice(0, 1) : [];
  }

  /** What is known so far of a hit that must be told before the lines after it have come; the newest, or null. */
  peek(): ChatContext<Hit> | null {
    const context = this.waiting.at(-1);
    return context === undefined ? null : { ...context, after: [...context.after] };
  }

  /** At most {@link REACH} lines before the one added last, oldest first. */
  before(): readonly ChatMessage[] {
    return this.lines.slice(0, -1);
  }

  /** A quiet room must not keep a context for ever. @returns the contexts that were opened at `until` or before */
  expire(until: number): ChatContext<Hit>[] {
    return this.release(({ at }) => at <= until);
  }

  /** No more lines come. @returns the contexts that were still open */
  end(): ChatContext<Hit>[] {
    return this.release(() => true);
  }

  private release(complete: (context: OpenContext<Hit>) => boolean): ChatContext<Hit>[] {
    if (this.waiting.length === 0) return [];
    const done = this.waiting.filter(complete);
    this.waiting = this.waiting.filter((context) => !complete(context));
    return done;
  }
}
