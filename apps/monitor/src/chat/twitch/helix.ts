import { z } from 'zod';
import { ChatError, type ChatLink } from '../chat-source.port.js';
import { ask, type Answer } from '../polling.js';

/** Who reads: an application, a token of a user with the scope `user:read:chat`, and that user's id. */
export interface EventSubAccount {
  clientId: string;
  accessToken: string;
  userId: string;
}

/** The server gives up a session without subscription after its keepalive time, never before 10 s. */
const SUBSCRIBE_MS = 8_000;
const LOOKUP_MS = 10_000;
/** Too many requests: the buckets of Helix fill up within a minute. */
const SLOW_DOWN_MS = 60_000;

const Users = z.object({ data: z.array(z.object({ id: z.string().min(1).max(100) })).max(100) });
const Failure = z.object({ message: z.string() });

/** The calls of the Helix API that reading needs. */
export class Helix {
  private readonly headers: Readonly<Record<string, string>>;

  constructor(
    private readonly account: EventSubAccount,
    private readonly origin: string,
    private readonly link: ChatLink,
  ) {
    this.headers = { 'client-id': account.clientId, authorization: `Bearer ${account.accessToken}` };
  }

  /** @throws ChatError `offline` when there is no such user */
  async userId(login: string, signal: AbortSignal): Promise<string> {
    const url = new URL('/helix/users', this.origin);
    url.searchParams.set('login', login);
    const answer = await ask(this.link, url, LOOKUP_MS, signal, { headers: this.headers });
    const { data: users } = Users.safeParse(answer.data);
    if (answer.status !== 200 || users === undefined) throw failureOf(answer);
    const [user] = users.data;
    if (user === undefined) throw new ChatError('offline', 'The Twitch channel does not exist or is suspended.');
    return user.id;
  }

  /** @throws ChatError */
  async subscribe(
    { type, room, session }: { type: string; room: string; session: string },
    signal: AbortSignal,
  ): Promise<void> {
    const answer = await ask(this.link, new URL('/helix/eventsub/subscriptions', this.origin), SUBSCRIBE_MS, signal, {
      headers: this.headers,
      json: {
        ...{ type, version: '1', condition: { broadcaster_user_id: room, user_id: this.account.userId } },
        transport: { method: 'websocket', session_id: session },
      },
    });
    // 409: it is there already.
    if (answer.status !== 202 && answer.status !== 409) throw failureOf(answer);
  }
}

/** The statuses of "Create EventSub Subscription" and "Get Users" that a person can do something about. */
function failureOf({ status, data }: Answer): ChatError {
  const said = Failure.safeParse(data).data?.message.toLowerCase() ?? '';
  if (status === 401) return new ChatError('refused', 'Twitch refused the access token: give a new one.');
  if (status === 403) {
    return new ChatError('refused', 'The Twitch token may not read this chat: it needs user:read:chat, and no ban.');
  }
  if (status === 429) return new ChatError('lost', 'Twitch asks us to slow down.', { afterMs: SLOW_DOWN_MS });
  if (status === 400 && !said.includes('session')) {
    return new ChatError('refused', 'Twitch refused the subscription: check clientId and userId against the token.');
  }
  return new ChatError('lost', `Twitch answered ${status}.`);
}
