import { messageOf } from '#libs/errors/app-error.js';
import type { WebSocket } from 'ws';
import type { Clock } from '../capture/clock.js';
import { EgressError } from '../egress/egress-error.js';
import { openProxiedSocket } from '../egress/proxied-socket.js';
import { ChatError, FRAME_LIMIT, type ChatLink } from './chat-source.port.js';
import { Hearing, Pulse } from './pulse.js';

const HANDSHAKE_MS = 10_000;
/** From the open socket to the joined room. */
const JOIN_MS = 15_000;
/** More than this may not wait to be sent: the other side has stopped to read. */
const SEND_LIMIT = 64 * 2 ** 10;
/** After so much in one turn of the event loop the socket rests until the next. */
const BYTES_PER_TURN = 64 * 2 ** 10;
/** What a frame costs beside its bytes, as bytes. */
const FRAME_COST = 100;

/** What an adapter does with its socket. Throwing a `ChatError` ends the connection with it. */
export interface Conversation {
  url: string;
  headers?: Readonly<Record<string, string>>;
  /** Our own ping: how often, and how long to wait for a sign of life. Or, without one, the longest silence. */
  pulse: { everyMs: number; deadMs: number; ping: (say: Say) => void } | { quietMs: () => number };
  /** Whether the room was joined; asked once, when the time to join is over. */
  joined: () => boolean;
  opened: (say: Say) => void;
  frame: (text: string, say: Say) => void;
}

/** Sends one text frame. Never throws. */
export type Say = (text: string) => void;

/** How the server closed. */
export interface Farewell {
  code: number;
  reason: string;
}

/**
 * Holds one WebSocket until either side ends it: watches its pulse, refuses frames that are too long or binary, and
 * shares the event loop under a flood. Resolves when it is closed, with what the server said.
 * @throws ChatError
 */
export async function converse(conversation: Conversation, link: ChatLink, signal: AbortSignal): Promise<Farewell> {
  const { url, headers, opened, frame } = conversation;
  if (signal.aborted) return { code: 1000, reason: '' };
  const socket = openProxiedSocket(url, {
    ...{ proxyUrl: link.lane.proxyUrl, maxPayloadBytes: FRAME_LIMIT, handshakeTimeoutMs: HANDSHAKE_MS },
    ...(headers === undefined ? {} : { headers }),
  });
  const say: Say = (text) => {
    if (socket.readyState !== socket.OPEN) return;
    if (socket.bufferedAmount > SEND_LIMIT) fail(new ChatError('lost', 'The chat server has stopped to read.'));
    else socket.send(text, () => undefined);
  };
  const fate: { failure: Error | null } = { failure: null };
  const fail = (error: unknown): void => {
    fate.failure ??= error instanceof Error ? error : new Error(messageOf(error));
    socket.terminate();
  };
  const dead = (): void => fail(new ChatError('lost', 'The chat server no longer answers.'));
  const pulse = beating(conversation.pulse, { say, dead, clock: link.clock });
  const share = new Share(socket);
  const attempt = (action: () => void): void => {
    if (fate.failure !== null) return;
    try {
      action();
    } catch (error) {
      fail(error);
    }
  };
  let stopWaiting = (): void => undefined;
  socket.on('open', () => {
    pulse.start();
    stopWaiting = link.clock.after(JOIN_MS, () => {
      if (!conversation.joined()) fail(new ChatError('lost', 'The chat server did not confirm the join.'));
    });
    attempt(() => opened(say));
  });
  socket.on('ping', () => pulse.beat());
  socket.on('message', (data: Buffer, isBinary: boolean) => {
    pulse.beat();
    share.take(data.length);
    if (isBinary) link.garbage();
    else attempt(() => frame(data.toString(), say));
  });
  socket.on('error', (error) => {
    if (isTooLong(error)) link.garbage();
    fate.failure ??= lost(error);
  });
  const onAbort = (): void => socket.terminate();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    const farewell = await new Promise<Farewell>((resolve) => {
      socket.once('close', (code: number, reason: Buffer) =>
        resolve({ code, reason: reason.toString().slice(0, 200) }),
      );
    });
    if (fate.failure !== null && !signal.aborted) throw fate.failure;
    return farewell;
  } finally {
    pulse.stop();
    stopWaiting();
    signal.removeEventListener('abort', onAbort);
  }
}

function beating(
  pulse: Conversation['pulse'],
  { say, dead, clock }: { say: Say; dead: () => void; clock: Clock },
): Pulse | Hearing {
  if ('quietMs' in pulse) return new Hearing({ quietMs: pulse.quietMs, clock, dead });
  const { everyMs, deadMs, ping } = pulse;
  return new Pulse({ everyMs, deadMs, clock, dead, ping: () => ping(say) });
}

/** Keeps one socket from taking more than its share of a turn of the event loop. */
class Share {
  private bytes = 0;

  constructor(private readonly socket: WebSocket) {}

  take(bytes: number): void {
    if (this.bytes === 0) {
      setImmediate(() => {
        this.bytes = 0;
        if (this.socket.isPaused) this.socket.resume();
      });
    }
    this.bytes += bytes + FRAME_COST;
    if (this.bytes >= BYTES_PER_TURN) this.socket.pause();
  }
}

function isTooLong(error: Error): boolean {
  return 'code' in error && error.code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH';
}

function lost(error: Error): ChatError {
  if (error instanceof EgressError) return new ChatError('lost', error.message, {}, { cause: error });
  return new ChatError('lost', `The chat connection failed (${messageOf(error).slice(0, 200)}).`, {}, { cause: error });
}
