import type { z } from 'zod';
import type { Severity } from '#libs/contracts/primitives.js';
import type { Failure } from '../policy/retry-schedule.js';

/** What is said over a channel, whatever the channel makes of it. */
export interface ChannelMessage {
  /** Id of the delivery: the same for every attempt, so that a receiver can tell a double. */
  id: string;
  title: string;
  body: string;
  severity: Severity;
  /** What it tells of, oldest first; more than one for a digest. */
  items: readonly ChannelItem[];
  /** Clean evidence frame as JPEG, null when there is none. */
  image: Buffer | null;
  /** Who has taken on the alert that it tells of; null when nobody has, or it tells of several. */
  acknowledgedBy: string | null;
  /** Trace that the attempt is part of (https://www.w3.org/TR/trace-context/), for channels that hand it on; null for none. */
  traceparent: string | null;
  /** Where a person sees more; null when no address is configured. */
  link: string | null;
}

/** One thing that a message tells of. */
export interface ChannelItem {
  notificationId: string | null;
  alertId: string | null;
  detectionId: string | null;
  streamId: string | null;
  kind: string;
  title: string;
  body: string;
  severity: Severity;
  /** Hits that it stands for. */
  count: number;
  at: Date;
}

/** A way to reach people beside the app: one folder, one line in the registry. */
export interface Channel {
  readonly id: 'email' | 'telegram' | 'webhook';
  readonly title: string;
  /** Where to send to, as the address book has it. */
  readonly target: z.ZodType;
  /** Attempts under way at once in one process. */
  readonly concurrency: number;
  /** Whether it is set up here; nothing is sent over one that is not. */
  readonly works: boolean;
  /** Who else has to wait when this target asks for a pause: the name of a hold. */
  holdOf(target: unknown): string;
  /**
   * Sends once. @returns what the receiver calls it, empty when it does not say.
   * @throws DeliveryFault for whatever went wrong.
   */
  send(message: ChannelMessage, target: unknown, signal: AbortSignal): Promise<string>;
  /**
   * Brings what was sent up to date, in place; channels whose messages stay as they are leave it out. What is up to date
   * already is no fault.
   * @param reference what `send` returned.
   * @throws DeliveryFault for whatever went wrong.
   */
  edit?(message: ChannelMessage, target: unknown, reference: string, signal: AbortSignal): Promise<void>;
  /**
   * Asks whether a message would be taken, without sending one; channels that have no such question leave it out.
   * @throws DeliveryFault when it would not.
   */
  probe?(signal: AbortSignal): Promise<void>;
  close(): void;
}

/** Why an attempt failed. The message is for people: no secrets. */
export class DeliveryFault extends Error implements Failure {
  constructor(
    message: string,
    readonly permanent = false,
    readonly retryAfterMs: number | null = null,
    /** The receiver wants nothing any more. */
    readonly gone = false,
  ) {
    super(message);
    this.name = 'DeliveryFault';
  }
}
