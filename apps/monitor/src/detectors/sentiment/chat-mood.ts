import type { ChatMessage } from '#libs/contracts/chat.js';
import { Occurrence, type Turn } from '../occurrence.js';
import { scoreOf } from './message-score.js';

/** The room has turned hostile, or is no longer: once each per occurrence. */
export interface MoodEvent {
  kind: 'hostile_chat';
  change: 'opened' | 'closed';
  /** Time of its beginning, ms, on the clock of the messages; the same in both events of one occurrence. */
  startedAtMs: number;
  /** Time of its end, ms; null while it lasts. */
  endedAtMs: number | null;
  /** The greatest share of hostile messages so far, 0 to 1. */
  peakShare: number;
  /** Ids of the newest hostile messages, at most {@link EXAMPLES}, oldest first. */
  examples: readonly string[];
  /** A sentence for a person. */
  detail: string;
}

/** Thresholds. */
export interface MoodOptions {
  /** A message of this score or less is hostile; scores go from -1 to 1. */
  hostileScore: number;
  /** A message counts half as much after so long, ms. */
  halfLifeMs: number;
  /** So many messages must count before anything is said of the room. */
  leastMessages: number;
  /** Share of hostile messages from which the room is hostile, and below which it no longer is; 0 to 1. */
  share: number;
  endShare: number;
  openAfterMs: number;
  closeAfterMs: number;
}

export const MOOD_DEFAULTS: MoodOptions = {
  hostileScore: -0.4,
  halfLifeMs: 30_000,
  leastMessages: 12,
  share: 0.35,
  endShare: 0.2,
  openAfterMs: 5_000,
  closeAfterMs: 20_000,
};

const EXAMPLES = 5;

/** What is read of a message. */
export type MoodMessage = Pick<ChatMessage, 'externalId' | 'kind' | 'text'>;

/**
 * Tells when a chat turns hostile, by the share of hostile messages in a window that forgets by halves. A signal of its
 * own: no keyword is needed, and none is replaced. English alone, and weak (see `scoreOf`): messages that are not in
 * Latin letters are left out of the share; those in other languages of Latin letters count as calm. Pure; its memory is
 * a few numbers, however many messages come. One stream.
 */
export class ChatMood {
  private readonly occurrence: Occurrence;
  private readonly examples: string[] = [];
  private hostile = 0;
  private total = 0;
  private lastMs: number | null = null;
  private condition: 'on' | 'off' | 'between' = 'off';
  private peak = 0;

  constructor(private readonly options: MoodOptions = MOOD_DEFAULTS) {
    this.occurrence = new Occurrence({ openAfterMs: options.openAfterMs, closeAfterMs: options.closeAfterMs });
  }

  get isHostile(): boolean {
    return this.occurrence.isOpen;
  }

  /** How much counts at the time of the last message: messages, and the share of hostile ones among them. */
  figures(): { messages: number; share: number } {
    return { messages: this.total, share: this.total === 0 ? 0 : this.hostile / this.total };
  }

  /** Takes a message. Only what people wrote counts. @param atMs its time; times that go back are taken as the last */
  hear({ externalId, kind, text }: MoodMessage, atMs: number): MoodEvent[] {
    const score = kind === 'text' || kind === 'tip' ? scoreOf(text) : null;
    const events = this.tick(atMs);
    if (score === null) return events;
    this.total += 1;
    if (score <= this.options.hostileScore) {
      this.hostile += 1;
      this.examples.push(externalId);
      if (this.examples.length > EXAMPLES) this.examples.shift();
    }
    this.judge();
    return events;
  }

  /** Lets time pass: call it about once a second, or a room that falls silent stays what it was. */
  tick(atMs: number): MoodEvent[] {
    const from = this.lastMs ?? atMs;
    const to = Math.max(from, atMs);
    this.lastMs = to;
    // Between two messages nothing changes but the weight of both sides.
    const turn = this.occurrence.add(from, to, this.condition);
    const left = 0.5 ** ((to - from) / this.options.halfLifeMs);
    this.hostile *= left;
    this.total *= left;
    this.judge();
    return this.told(turn);
  }

  /** The chat has ended: ends what lasts. */
  close(atMs: number): MoodEvent[] {
    const events = this.tick(atMs);
    events.push(...this.told(this.occurrence.end(this.lastMs ?? atMs)));
    [this.hostile, this.total, this.condition] = [0, 0, 'off'];
    return events;
  }

  private judge(): void {
    const { leastMessages, share: on, endShare } = this.options;
    const { share } = this.figures();
    if (share < endShare || this.total < leastMessages / 2) this.condition = 'off';
    else this.condition = share >= on && this.total >= leastMessages ? 'on' : 'between';
    if (this.condition === 'on') this.peak = Math.max(this.peak, share);
  }

  private told(turn: Turn | null): MoodEvent[] {
    if (turn === null) return [];
    const [examples, peakShare] = [[...this.examples], this.peak];
    const percent = `${Math.round(peakShare * 100)} %`;
    if ('opened' in turn) {
      const detail = `The chat has turned hostile: ${percent} of the messages.`;
      return [event({ change: 'opened', startedAtMs: turn.opened, endedAtMs: null, peakShare, examples, detail })];
    }
    this.peak = 0;
    this.examples.length = 0;
    const seconds = Math.round((turn.closed - turn.began) / 1_000);
    const detail = `The chat was hostile for ${seconds} s: at most ${percent} of the messages.`;
    return [event({ change: 'closed', startedAtMs: turn.began, endedAtMs: turn.closed, peakShare, examples, detail })];
  }
}

function event(parts: Omit<MoodEvent, 'kind'>): MoodEvent {
  return { kind: 'hostile_chat', ...parts };
}
