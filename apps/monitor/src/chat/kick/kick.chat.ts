import { z } from 'zod';
import type { AdapterDescriptor } from '#libs/contracts/monitors.js';
import { converse, type Farewell, type Say } from '../chat-socket.js';
import { ChatError, type ChatLink, type ChatSource, type ChatTarget } from '../chat-source.port.js';
import { parseJson } from '../json-frame.js';
import { PusherFrame, eventOf, innerData, toDraft } from './kick-message.js';

const Slug = z.string().regex(/^[a-z0-9][a-z0-9_-]{0,63}$/);
const Options = z.strictObject({
  /** Number of the chat room, where the site does not tell it to a plain client. */
  chatroomId: z.number().int().positive().optional(),
});
const ChannelAnswer = z.object({ chatroom: z.object({ id: z.number().int().positive() }) });
const ServerError = z.object({ code: z.number().int().nullish() });

/** Servers of Kick. */
export interface KickChatOptions {
  /** The site's Pusher application, key included. */
  socketUrl: string;
  /** Origin of the site, for the number of a chat room. */
  siteUrl: string;
}

const PATHS_THAT_ARE_NO_CHANNEL = ['browse', 'categories', 'category', 'following', 'search', 'video', 'clips'];

/**
 * Reads Kick chat as the site does, over Pusher's protocol 7 on a WebSocket (pusher.com/docs, "Pusher Channels
 * Protocol"). The room and its events are not documented by Kick.
 */
export class KickChat implements ChatSource {
  readonly descriptor: AdapterDescriptor = { id: 'kick', title: 'Kick', options: z.toJSONSchema(Options) };
  readonly joinBudget = { joins: 10, perMs: 10_000 };

  constructor(private readonly servers: KickChatOptions) {}

  channelOf({ protocol, hostname, pathname }: URL): string | null {
    if (!/^https?:$/.test(protocol) || !/^(?:www\.|m\.)?kick\.com$/.test(hostname)) return null;
    const name = (pathname.split('/')[1] ?? '').toLowerCase();
    return Slug.safeParse(name).success && !PATHS_THAT_ARE_NO_CHANNEL.includes(name) ? name : null;
  }

  async connect(target: ChatTarget, link: ChatLink, signal: AbortSignal): Promise<void> {
    const slug = Slug.safeParse(target.channel.toLowerCase());
    const options = Options.safeParse(target.options);
    if (!slug.success) throw new ChatError('refused', 'The name of the Kick channel is not valid.');
    if (!options.success) throw new ChatError('refused', 'The options of the Kick chat are not valid.');
    await link.admitted(signal);
    const room = new Room(options.data.chatroomId ?? (await this.lookUp(slug.data, link, signal)), link);
    const farewell = await converse(
      {
        url: this.servers.socketUrl,
        pulse: {
          ...{ everyMs: 60_000, deadMs: 30_000 },
          ping: (say) => say('{"event":"pusher:ping","data":{}}'),
        },
        joined: () => room.joined,
        opened: () => undefined,
        frame: (text, say) => room.hear(text, say),
      },
      link,
      signal,
    );
    if (!signal.aborted) obey(room.fault ?? farewell);
  }

  private async lookUp(slug: string, link: ChatLink, signal: AbortSignal): Promise<number> {
    const url = new URL(`/api/v2/channels/${slug}`, this.servers.siteUrl).href;
    const { status, body } = await link.lane.fetch(url, { signal, maxBytes: 512 * 1_024 });
    if (status === 404) throw new ChatError('offline', 'There is no such Kick channel.');
    if (status === 403)
      throw new ChatError('refused', 'Kick does not tell the number of the chat room: give chatroomId.');
    const answer = ChannelAnswer.safeParse(parseJson(body.toString()));
    if (status !== 200 || !answer.success) {
      throw new ChatError('lost', `Kick answered ${status} when asked for the number of the chat room.`);
    }
    return answer.data.chatroom.id;
  }
}

/** Pusher's close codes: 4000-4099 never again like this, 4100-4199 later, 4200-4299 at once. */
function obey({ code }: Pick<Farewell, 'code'>): void {
  if (code >= 4_000 && code <= 4_099) {
    throw new ChatError('refused', `Kick's chat server refused us (${code}): its address or key must have changed.`);
  }
  if (code >= 4_100 && code <= 4_199) throw new ChatError('lost', `Kick's chat server is overloaded (${code}).`);
  if (code >= 4_200 && code <= 4_299) {
    throw new ChatError('lost', `Kick's chat server asks to connect anew (${code}).`, { atOnce: true });
  }
}

/** What one connection has come to know. */
class Room {
  joined = false;
  /** What the server said before it closed. */
  fault: { code: number } | null = null;
  private readonly channel: string;

  constructor(
    chatroomId: number,
    private readonly link: ChatLink,
  ) {
    this.channel = `chatrooms.${chatroomId}.v2`;
  }

  hear(text: string, say: Say): void {
    const { data: frame } = PusherFrame.safeParse(parseJson(text));
    if (frame === undefined) {
      this.link.garbage();
      return;
    }
    switch (frame.event) {
      case 'pusher:connection_established':
        say(JSON.stringify({ event: 'pusher:subscribe', data: { auth: '', channel: this.channel } }));
        break;
      case 'pusher_internal:subscription_succeeded':
        if (frame.channel !== this.channel) break;
        this.joined = true;
        this.link.live();
        break;
      case 'pusher:ping':
        say('{"event":"pusher:pong","data":{}}');
        break;
      case 'pusher:error': {
        const { data: error } = ServerError.safeParse(innerData(frame.data));
        if (typeof error?.code === 'number') this.fault = { code: error.code };
        break;
      }
      default:
        this.pass(frame);
    }
  }

  private pass({ event: name, channel, data }: z.infer<typeof PusherFrame>): void {
    const event = eventOf(name);
    if (event === null || channel !== this.channel) return;
    const draft = toDraft(event, innerData(data), this.link.clock.now());
    if (draft === null) this.link.garbage();
    else this.link.message(draft);
  }
}
