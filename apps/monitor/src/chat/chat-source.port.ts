import type { ChatMessage } from '#libs/contracts/chat.js';
import type { AdapterDescriptor } from '#libs/contracts/monitors.js';
import { AppError } from '#libs/errors/app-error.js';
import type { Clock } from '../capture/clock.js';
import type { EgressLane } from '../egress/egress-lane.js';
import type { EgressLimits } from '../egress/lane-budget.js';

/** Longest frame that is taken from a chat server, bytes. */
export const FRAME_LIMIT = 64 * 2 ** 10;

/** Whose chat to follow. */
export interface ChatTarget {
  streamId: string;
  /** The room, as `channelOf` or the operator gives it. */
  channel: string;
  /** What the source's own schema takes, credentials included. Never logged. */
  options: Readonly<Record<string, unknown>>;
}

/** Where a chat's lane differs from others: a quiet room says nothing for longer than any video would. */
export const CHAT_LANE_LIMITS: Partial<EgressLimits> = { idleTimeoutMs: 150_000 };

/** The only network that a source has, opened with {@link CHAT_LANE_LIMITS}. */
export type ChatLane = Pick<EgressLane, 'fetch' | 'proxyUrl'>;

/** A message as an adapter gives it; the rest is the same for all and added later. */
export type ChatDraft = Omit<ChatMessage, 'platform' | 'streamId' | 'receivedAt' | 'sentAt'> & {
  /** Epoch ms; null when the platform does not say. */
  sentAt: number | null;
};

/** What one connection is given to work with, and whom it tells. Nothing here throws. */
export interface ChatLink {
  readonly lane: ChatLane;
  readonly clock: Clock;
  /** From 0 (included) to 1 (not). */
  readonly random: () => number;
  /** Where the next connection goes on reading; kept between connections. Null at first. */
  bookmark: string | null;
  /** Waits for a turn within the platform's budget of joins. Rejects when the signal aborts. */
  admitted(signal: AbortSignal): Promise<void>;
  /** The room was joined. */
  live(): void;
  message(draft: ChatDraft): void;
  /** Something came that could not be understood. */
  garbage(): void;
  /** The server asks to connect anew soon; this connection goes on until the new one is live. */
  moving(): void;
}

/** Reads the chat of one platform. One folder, one line in the registry. */
export interface ChatSource {
  readonly descriptor: AdapterDescriptor;
  /** So many joins in so many ms, over all streams of this process. No limit when unset. */
  readonly joinBudget?: Readonly<{ joins: number; perMs: number }>;
  /** The room that an address of the platform leads to; null when it is not one of its own. */
  channelOf(url: URL): string | null;
  /**
   * Holds one connection from start to end and tells everything to the link. Resolves when the server ended it in
   * order or the signal aborted; nothing of it is left then.
   * @throws ChatError
   */
  connect(target: ChatTarget, link: ChatLink, signal: AbortSignal): Promise<void>;
}

/** What follows from a failure, where the usual back-off is not it. */
export interface ChatRetry {
  /** Wait at least so long, ms. */
  afterMs?: number;
  /** The server wants to see us again at once. Only believed of a connection that was healthy. */
  atOnce?: boolean;
}

/**
 * Why a connection could not be made or held.
 * - `lost`: try again; `refused`: a person must change something first; `offline`: there is no chat at this time.
 * The message reaches people: no secrets, no urls.
 */
export class ChatError extends AppError {
  constructor(
    readonly outcome: 'lost' | 'refused' | 'offline',
    message: string,
    readonly retry: ChatRetry = {},
    options?: { cause?: unknown },
  ) {
    super(`chat.${outcome}`, 'operational', message, {}, options);
  }
}
