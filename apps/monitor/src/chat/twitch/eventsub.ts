import { messageOf } from '#libs/errors/app-error.js';
import { converse, type Farewell } from '../chat-socket.js';
import { ChatError, type ChatLink } from '../chat-source.port.js';
import { parseJson } from '../json-frame.js';
import { CHAT_SUBSCRIPTION, EventSubFrame, FURTHER_SUBSCRIPTIONS, toDraft } from './eventsub-message.js';
import { Helix, type EventSubAccount } from './helix.js';

/** Servers of EventSub. */
export interface EventSubServers {
  /** The WebSocket. */
  socketUrl: string;
  /** Origin of the Helix API. */
  apiUrl: string;
}

/** Asked of the server: it speaks at least so often. */
const KEEPALIVE_S = 30;
/** A keepalive may come so much later than promised, ms. */
const SLACK_MS = 10_000;
/**
 * Reads the chat of a Twitch channel from EventSub over a WebSocket (dev.twitch.tv, "Handling WebSocket Events").
 * The subscriptions of a session live on when the server moves it: its new address is kept as the link's bookmark, and
 * the next connection goes there while this one still runs.
 * @throws ChatError
 */
export async function readEventSub(
  login: string,
  account: EventSubAccount,
  servers: EventSubServers,
  link: ChatLink,
  signal: AbortSignal,
): Promise<void> {
  const movedTo = link.bookmark;
  // It is good for one attempt.
  link.bookmark = null;
  const api = new Helix(account, servers.apiUrl, link);
  if (movedTo === null) await link.admitted(signal);
  const room = movedTo === null ? await api.userId(login, signal) : null;
  const ending = new AbortController();
  const fate: { failure: Error | null } = { failure: null };
  const onAbort = (): void => ending.abort();
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  const session = new Session(link, servers.socketUrl, async (id) => {
    if (room === null) return;
    try {
      await api.subscribe({ type: CHAT_SUBSCRIPTION, room, session: id }, ending.signal);
      session.join();
      for (const type of FURTHER_SUBSCRIPTIONS) {
        // Not every token may have them, and the chat is readable without.
        await api.subscribe({ type, room, session: id }, ending.signal).catch(() => undefined);
      }
    } catch (error) {
      fate.failure = error instanceof Error ? error : new Error(messageOf(error));
      ending.abort();
    }
  });
  const fresh = new URL(servers.socketUrl);
  fresh.searchParams.set('keepalive_timeout_seconds', String(KEEPALIVE_S));
  try {
    const farewell = await converse(
      {
        url: movedTo ?? fresh.href,
        pulse: { quietMs: () => session.keepaliveMs + SLACK_MS },
        joined: () => session.joined,
        opened: () => undefined,
        frame: (text) => session.hear(text, movedTo !== null),
      },
      link,
      ending.signal,
    );
    if (signal.aborted) return;
    if (fate.failure !== null) throw fate.failure;
    throw ended(farewell);
  } finally {
    ending.abort();
    signal.removeEventListener('abort', onAbort);
  }
}

/** What one connection has come to know. */
class Session {
  joined = false;
  keepaliveMs = KEEPALIVE_S * 1_000;
  private welcomed = false;

  /** @param subscribe called once with the session's id; must not reject */
  constructor(
    private readonly link: ChatLink,
    private readonly home: string,
    private readonly subscribe: (session: string) => Promise<void>,
  ) {}

  join(): void {
    this.joined = true;
    this.link.live();
  }

  /** @param moved whether the session was begun by another connection, so that its subscriptions are there */
  hear(text: string, moved: boolean): void {
    const { data: frame } = EventSubFrame.safeParse(parseJson(text));
    if (frame === undefined) {
      this.link.garbage();
      return;
    }
    const { session } = frame.payload;
    switch (frame.metadata.message_type) {
      case 'session_welcome':
        if (session === undefined) this.link.garbage();
        else if (!this.welcomed) this.welcome(session, moved);
        break;
      case 'session_reconnect': {
        const url = session?.reconnect_url ?? '';
        if (isSameService(url, this.home)) {
          this.link.bookmark = url;
          this.link.moving();
        } else this.link.garbage();
        break;
      }
      case 'notification': {
        const draft = toDraft(frame);
        if (draft === null) this.link.garbage();
        else if (draft !== undefined) this.link.message(draft);
        break;
      }
      case 'revocation':
        if (frame.payload.subscription?.type === CHAT_SUBSCRIPTION) throw revoked(frame.payload.subscription.status);
        break;
      case 'session_keepalive':
        break;
      default:
        this.link.garbage();
    }
  }

  private welcome(session: NonNullable<EventSubFrame['payload']['session']>, moved: boolean): void {
    this.welcomed = true;
    this.keepaliveMs = (session.keepalive_timeout_seconds ?? KEEPALIVE_S) * 1_000;
    if (moved) this.join();
    else void this.subscribe(session.id);
  }
}

function revoked(status: string): ChatError {
  switch (status) {
    case 'authorization_revoked':
      return new ChatError('refused', 'The Twitch access token was revoked: give a new one.');
    case 'chat_user_banned':
      return new ChatError('refused', 'The account is banned from this Twitch channel.');
    case 'user_removed':
      return new ChatError('refused', 'The Twitch account or channel no longer exists.');
    default:
      return new ChatError('refused', 'Twitch no longer lets us read this chat.');
  }
}

/** Close codes of "EventSub: Close message". */
function ended({ code }: Farewell): ChatError {
  return new ChatError('lost', `Twitch ended the EventSub session (${code}).`, code === 4_004 ? { atOnce: true } : {});
}

/** The same scheme, port and host, or one of its subdomains: cells of the service have names of their own. */
function isSameService(url: string, home: string): boolean {
  if (!URL.canParse(url)) return false;
  const [there, here] = [new URL(url), new URL(home)];
  const sameHost = there.hostname === here.hostname || there.hostname.endsWith(`.${here.hostname}`);
  return there.protocol === here.protocol && there.port === here.port && sameHost && there.username === '';
}
