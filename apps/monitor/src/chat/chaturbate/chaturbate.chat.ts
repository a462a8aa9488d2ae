import { z } from 'zod';
import type { AdapterDescriptor } from '#libs/contracts/monitors.js';
import { ChatError, type ChatLink, type ChatSource, type ChatTarget } from '../chat-source.port.js';
import { ask, pause, type Answer } from '../polling.js';
import { EventFrame, toDraft } from './chaturbate-event.js';

const Username = z.string().regex(/^[a-z0-9_]{1,50}$/);
const Options = z.strictObject({
  /** Made by the broadcaster with the scope "Events API"; without it there is no chat. */
  token: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,200}$/)
    .meta({ format: 'password' }),
});
const Page = z.object({ events: z.array(z.unknown()).max(10_000), nextUrl: z.string().max(4_000) });

/** How long the server may hold a request, s. */
const HOLD_S = 20;
/** Beyond it the answer is late, ms. */
const GRACE_MS = 8_000;
/** Least time from one request to the next, ms: 240 a minute of the 2,000 that are allowed. */
const SPACING_MS = 250;

/** Servers of Chaturbate. */
export interface ChaturbateChatOptions {
  /** Origin of the Events API. */
  eventsUrl: string;
}

/** Reads a room by Chaturbate's Events API, a long poll that says where to go on (chaturbate.com, "Events API"). */
export class ChaturbateChat implements ChatSource {
  readonly descriptor: AdapterDescriptor = { id: 'chaturbate', title: 'Chaturbate', options: z.toJSONSchema(Options) };

  constructor(private readonly servers: ChaturbateChatOptions) {}

  channelOf({ protocol, hostname, pathname }: URL): string | null {
    if (!/^https?:$/.test(protocol) || !/^(?:[a-z]{2,3}\.)?chaturbate\.com$/.test(hostname)) return null;
    const [, name = '', rest = ''] = pathname.split('/');
    return rest === '' && Username.safeParse(name).success && !NO_ROOMS.includes(name) ? name : null;
  }

  async connect(target: ChatTarget, link: ChatLink, signal: AbortSignal): Promise<void> {
    const username = Username.safeParse(target.channel.toLowerCase());
    const options = Options.safeParse(target.options);
    if (!username.success) throw new ChatError('refused', 'The name of the Chaturbate room is not valid.');
    if (!options.success) {
      throw new ChatError('refused', 'The Chaturbate room needs a token with the scope "Events API".');
    }
    const start = new URL(`/events/${username.data}/${options.data.token}/`, this.servers.eventsUrl);
    let next = link.bookmark === null ? start : pinned(link.bookmark, start);
    // The first request is not held, so that it is known at once whether we are let in.
    for (let holdS = 0; !signal.aborted; holdS = HOLD_S) {
      const askedAt = link.clock.now();
      next.searchParams.set('timeout', String(holdS));
      const page = pageOf(await ask(link, next, holdS * 1_000 + GRACE_MS, signal), link);
      link.live();
      for (const event of page.events) pass(event, link);
      next = pinned(page.nextUrl, start);
      link.bookmark = next.href;
      await pause(link, askedAt + SPACING_MS - link.clock.now(), signal);
    }
  }
}

const NO_ROOMS = ['tags', 'auth', 'accounts', 'apps', 'tipping', 'statsapi', 'supporter', 'terms', 'privacy', 'p'];

/** Where to go on, which may only be where we began: the answer holds a url, and the url holds the token. */
function pinned(nextUrl: string, start: URL): URL {
  const next = URL.canParse(nextUrl, start.href) ? new URL(nextUrl, start) : null;
  if (next === null || next.origin !== start.origin || next.pathname !== start.pathname || next.username !== '') {
    throw new ChatError('lost', 'Chaturbate sends us elsewhere.');
  }
  return next;
}

function pageOf({ status, data }: Answer, link: ChatLink): z.infer<typeof Page> {
  if (status === 401 || status === 403) {
    throw new ChatError('refused', 'Chaturbate refused the token: the broadcaster must make a new one.');
  }
  const page = Page.safeParse(data);
  if (status === 200 && page.success) return page.data;
  if (status === 200) link.garbage();
  // What it was asked for may be what it cannot answer.
  if (status < 500 && status !== 429) link.bookmark = null;
  throw new ChatError('lost', status === 429 ? 'Chaturbate asks us to slow down.' : `Chaturbate answered ${status}.`);
}

function pass(event: unknown, link: ChatLink): void {
  const frame = EventFrame.safeParse(event);
  const draft = frame.success ? toDraft(frame.data) : null;
  if (draft === null) link.garbage();
  else if (draft !== undefined) link.message(draft);
}
