import { z } from 'zod';
import type { AdapterDescriptor } from '#libs/contracts/monitors.js';
import { converse, type Say } from '../chat-socket.js';
import { ChatError, type ChatLink, type ChatSource, type ChatTarget } from '../chat-source.port.js';
import { readEventSub, type EventSubServers } from './eventsub.js';
import { parseIrcLine, type IrcLine } from './irc-line.js';
import { isMessageCommand, toDraft } from './twitch-message.js';

const Channel = z.string().regex(/^[a-z0-9_]{1,25}$/);
const Secret = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[\x21-\x7e]+$/)
  .meta({ format: 'password' });
const Options = z
  .strictObject({
    /** IRC: login and user token (`chat:read`) of an account to read with; anonymous when unset. */
    login: Channel.optional(),
    token: Secret.optional(),
    /** EventSub: an application, a user token (`user:read:chat`) of it, and the id of that user. */
    clientId: z
      .string()
      .regex(/^[A-Za-z0-9]{1,100}$/)
      .optional(),
    accessToken: Secret.optional(),
    userId: z
      .string()
      .regex(/^\d{1,20}$/)
      .optional(),
  })
  .refine(({ login, token }) => (login === undefined) === (token === undefined))
  .refine(({ clientId, accessToken, userId }) => new Set([clientId, accessToken, userId].map(isUnset)).size === 1)
  .refine(({ login, clientId }) => login === undefined || clientId === undefined);

/** Servers of Twitch. */
export interface TwitchChatOptions {
  /** IRC over WebSocket. */
  url: string;
  eventSub: EventSubServers;
}

/** First words of a NOTICE that says that the login was refused. */
const REFUSALS = ['Login authentication failed', 'Improperly formatted auth', 'Login unsuccessful', 'Invalid NICK'];
const PATHS_THAT_ARE_NO_CHANNEL = ['directory', 'videos', 'settings', 'downloads', 'search', 'p', 'subscriptions'];

/**
 * Reads Twitch chat: from EventSub when it has the credentials for it, else over IRC on a WebSocket, anonymously or
 * with an account. Sources: dev.twitch.tv, "EventSub" and "Twitch IRC".
 */
export class TwitchChat implements ChatSource {
  readonly descriptor: AdapterDescriptor = { id: 'twitch', title: 'Twitch', options: z.toJSONSchema(Options) };
  /** The platform allows 20 in 10 s. */
  readonly joinBudget = { joins: 18, perMs: 10_000 };

  constructor(private readonly servers: TwitchChatOptions) {}

  channelOf({ protocol, hostname, pathname }: URL): string | null {
    if (!/^https?:$/.test(protocol) || !/^(?:www\.|m\.)?twitch\.tv$/.test(hostname)) return null;
    const name = (pathname.split('/')[1] ?? '').toLowerCase();
    return Channel.safeParse(name).success && !PATHS_THAT_ARE_NO_CHANNEL.includes(name) ? name : null;
  }

  async connect(target: ChatTarget, link: ChatLink, signal: AbortSignal): Promise<void> {
    const channel = Channel.safeParse(target.channel.toLowerCase().replace(/^#/, ''));
    const options = Options.safeParse(target.options);
    if (!channel.success) throw new ChatError('refused', 'The name of the Twitch channel is not valid.');
    if (!options.success)
      throw new ChatError(
        'refused',
        'The options of the Twitch chat are not valid: give login and token, or clientId, accessToken and userId, or none.',
      );
    const { clientId, accessToken, userId } = options.data;
    if (clientId !== undefined && accessToken !== undefined && userId !== undefined) {
      const account = { clientId, accessToken: accessToken.replace(/^oauth:/, ''), userId };
      await readEventSub(channel.data, account, this.servers.eventSub, link, signal);
      return;
    }
    await link.admitted(signal);
    const room = new Room(channel.data, options.data, link);
    await converse(
      {
        url: this.servers.url,
        pulse: { everyMs: 60_000, deadMs: 10_000, ping: (say) => say('PING :vigil\r\n') },
        joined: () => room.joined,
        opened: (say) => room.enter(say),
        frame: (text, say) => {
          for (const line of text.split('\r\n')) if (line !== '') room.hear(line, say);
        },
      },
      link,
      signal,
    );
  }
}

function isUnset(value: string | undefined): boolean {
  return value === undefined;
}

/** What one connection has come to know. */
class Room {
  joined = false;

  constructor(
    private readonly channel: string,
    private readonly account: z.infer<typeof Options>,
    private readonly link: ChatLink,
  ) {}

  enter(say: Say): void {
    const { login, token } = this.account;
    say('CAP REQ :twitch.tv/tags twitch.tv/commands\r\n');
    if (login !== undefined && token !== undefined)
      say(`PASS oauth:${token.replace(/^oauth:/, '')}\r\nNICK ${login}\r\n`);
    else say(`NICK justinfan${10_000 + Math.floor(this.link.random() * 80_000)}\r\n`);
  }

  hear(text: string, say: Say): void {
    const line = parseIrcLine(text);
    if (line === null) {
      this.link.garbage();
      return;
    }
    switch (line.command) {
      case 'PING':
        say(`PONG :${(line.params[0] ?? 'tmi.twitch.tv').slice(0, 400)}\r\n`);
        break;
      case '001':
        say(`JOIN #${this.channel}\r\n`);
        break;
      case '366':
      case 'ROOMSTATE':
        if (!this.isOurs(line)) break;
        this.joined = true;
        this.link.live();
        break;
      case 'RECONNECT':
        this.link.moving();
        break;
      case 'NOTICE':
        this.heed(line);
        break;
      default:
        if (isMessageCommand(line.command)) this.pass(line);
    }
  }

  private pass(line: IrcLine): void {
    const draft = this.isOurs(line) ? toDraft(line) : null;
    if (draft === null) this.link.garbage();
    else this.link.message(draft);
  }

  /** @throws ChatError when the server says that there is nothing to wait for */
  private heed({ tags, params }: IrcLine): void {
    const text = params.at(-1) ?? '';
    const id = tags.get('msg-id') ?? '';
    if (REFUSALS.some((refusal) => text.startsWith(refusal))) {
      throw new ChatError('refused', 'Twitch refused the login: give a new token, or none to read anonymously.');
    }
    if (id === 'msg_banned') throw new ChatError('refused', 'The account is banned from this Twitch channel.');
    if (id === 'msg_channel_suspended' || id === 'tos_ban') {
      throw new ChatError('offline', 'The Twitch channel does not exist or is suspended.');
    }
  }

  private isOurs({ command, params }: IrcLine): boolean {
    return (command === '366' ? params[1] : params[0]) === `#${this.channel}`;
  }
}
