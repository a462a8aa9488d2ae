import { z } from 'zod';
import type { AdapterDescriptor } from '#libs/contracts/monitors.js';
import { ChatError, type ChatLink, type ChatSource, type ChatTarget } from '../chat-source.port.js';
import { YoutubeDataApi } from './data-api.js';
import { readInnertube } from './innertube.js';
import { readStreamList, type StreamListServer } from './stream-list.js';

const VideoId = z.string().regex(/^[A-Za-z0-9_-]{11}$/);
const Options = z.strictObject({
  /**
   * Key of the YouTube Data API v3. Without one the chat is read as the site does, which YouTube does not document.
   */
  apiKey: z
    .string()
    .regex(/^[\x21-\x7e]{1,200}$/)
    .meta({ format: 'password' })
    .optional(),
});

/** Servers of YouTube, and our manners towards them. */
export interface YoutubeChatOptions {
  /** Origin of the Data API. */
  apiUrl: string;
  /** Where the Data API pushes; null reads by polling alone. */
  stream: StreamListServer | null;
  /** Origin of the site, for reading without a key. */
  siteUrl: string;
  /** Least time between two calls that cost quota, ms, whatever the server allows: 10,000 units are 2,000 polls. */
  leastPollMs: number;
  /** The same for the site, which has no quota but a patience, ms. */
  leastSitePollMs: number;
}

/**
 * Reads live chat: with a key as the Data API v3 pushes it, or by polling where the push is not to be had; without one
 * as the site reads it.
 */
export class YoutubeChat implements ChatSource {
  readonly descriptor: AdapterDescriptor = { id: 'youtube', title: 'YouTube', options: z.toJSONSchema(Options) };

  constructor(private readonly servers: YoutubeChatOptions) {}

  channelOf({ protocol, hostname, pathname, searchParams }: URL): string | null {
    if (!/^https?:$/.test(protocol)) return null;
    const [, first = '', second = ''] = pathname.split('/');
    let id: string | null = null;
    if (hostname === 'youtu.be') id = first;
    else if (/^(?:www\.|m\.)?youtube\.com$/.test(hostname)) {
      id = first === 'watch' ? searchParams.get('v') : ['live', 'embed', 'shorts'].includes(first) ? second : null;
    }
    return VideoId.safeParse(id).data ?? null;
  }

  async connect(target: ChatTarget, link: ChatLink, signal: AbortSignal): Promise<void> {
    const video = VideoId.safeParse(target.channel);
    const options = Options.safeParse(target.options);
    if (!video.success) throw new ChatError('refused', 'The id of the YouTube video is not valid.');
    if (!options.success) throw new ChatError('refused', 'The options of the YouTube chat are not valid.');
    const { apiUrl, stream, siteUrl, leastPollMs, leastSitePollMs } = this.servers;
    const { apiKey } = options.data;
    if (apiKey === undefined) {
      await readInnertube(video.data, { siteUrl, leastPollMs: leastSitePollMs }, link, signal);
      return;
    }
    const api = new YoutubeDataApi(apiUrl, apiKey, link, signal);
    const liveChatId = await api.liveChatId(video.data);
    const room = { liveChatId, apiKey, leastPollMs };
    const pushed = stream !== null && (await readStreamList(room, stream, link, signal));
    if (!pushed) await api.poll(liveChatId, leastPollMs);
  }
}
