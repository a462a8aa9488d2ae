import { z } from 'zod';
import type { AdapterDescriptor } from '#libs/contracts/monitors.js';
import { ChatError, type ChatLink, type ChatSource, type ChatTarget } from '../chat-source.port.js';
import { ask, pause } from '../polling.js';
import { CHAT_ENDED, toDraft, typeOf } from './youtube-item.js';

const VideoId = z.string().regex(/^[A-Za-z0-9_-]{11}$/);
const Options = z.strictObject({
  /** Key of the YouTube Data API v3. A poll costs 5 units of its daily quota. */
  apiKey: z
    .string()
    .regex(/^[\x21-\x7e]{1,200}$/)
    .meta({ format: 'password' }),
});
const Videos = z.object({
  items: z
    .array(z.object({ liveStreamingDetails: z.object({ activeLiveChatId: z.string().min(1).optional() }).optional() }))
    .max(50),
});
const Page = z.object({
  items: z.array(z.unknown()).max(2_000).default([]),
  nextPageToken: z.string().max(2_000).optional(),
  pollingIntervalMillis: z.number().nonnegative().max(3_600_000).catch(0),
  offlineAt: z.string().optional(),
});
const Failure = z.object({
  error: z.object({
    errors: z
      .array(z.object({ reason: z.string() }))
      .max(50)
      .default([]),
  }),
});

const TIMEOUT_MS = 15_000;
/** A spent quota comes back at midnight, Pacific time; until then half an hour is soon enough. */
const QUOTA_WAIT_MS = 30 * 60_000;

/** Servers of YouTube, and our manners towards them. */
export interface YoutubeChatOptions {
  /** Origin of the Data API. */
  apiUrl: string;
  /** Least time between polls, ms, whatever the server allows: a quota of 10,000 units is 2,000 polls. */
  leastPollMs: number;
}

/** Reads live chat by polling the YouTube Data API v3 (developers.google.com, "LiveChatMessages: list"). */
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
    if (!options.success) throw new ChatError('refused', 'YouTube chat needs an API key of the YouTube Data API v3.');
    const get = async <Schema extends z.ZodType>(
      path: string,
      query: Record<string, string>,
      schema: Schema,
    ): Promise<z.infer<Schema>> => {
      const url = new URL(`/youtube/v3/${path}`, this.servers.apiUrl);
      url.search = new URLSearchParams({ ...query, key: options.data.apiKey }).toString();
      const { status, data } = await ask(link, url, TIMEOUT_MS, signal);
      const answer = schema.safeParse(data);
      if (status === 200 && answer.success) return answer.data;
      if (status === 200) link.garbage();
      throw failureOf(status, data, link);
    };
    const videos = await get('videos', { part: 'liveStreamingDetails', id: video.data }, Videos);
    const liveChatId = videos.items[0]?.liveStreamingDetails?.activeLiveChatId;
    if (liveChatId === undefined) throw new ChatError('offline', 'The YouTube video has no live chat now.');
    while (!signal.aborted) {
      const page = await get(
        'liveChat/messages',
        {
          ...{ liveChatId, part: 'id,snippet,authorDetails', maxResults: '2000' },
          ...(link.bookmark === null ? {} : { pageToken: link.bookmark }),
        },
        Page,
      );
      link.live();
      for (const item of page.items) pass(item, link);
      link.bookmark = page.nextPageToken ?? null;
      if (page.offlineAt !== undefined || page.items.some((item) => typeOf(item) === CHAT_ENDED)) {
        link.bookmark = null;
        throw new ChatError('offline', 'The YouTube chat has ended.');
      }
      await pause(link, Math.max(page.pollingIntervalMillis, this.servers.leastPollMs), signal);
    }
  }
}

function pass(item: unknown, link: ChatLink): void {
  const draft = toDraft(item);
  if (draft === null) link.garbage();
  else if (draft !== undefined) link.message(draft);
}

/** Reasons as "YouTube Data API: Errors" lists them. */
function failureOf(status: number, data: unknown, link: ChatLink): ChatError {
  const reason = Failure.safeParse(data).data?.error.errors[0]?.reason ?? '';
  switch (reason) {
    case 'quotaExceeded':
    case 'dailyLimitExceeded':
      return new ChatError('lost', 'The daily quota of the YouTube API key is spent.', { afterMs: QUOTA_WAIT_MS });
    case 'keyInvalid':
    case 'keyExpired':
    case 'badRequest':
    case 'accessNotConfigured':
    case 'ipRefererBlocked':
    case 'forbidden':
      return new ChatError(
        'refused',
        'YouTube refused the API key: check it, and that the Data API v3 is enabled for it.',
      );
    case 'liveChatEnded':
    case 'liveChatDisabled':
    case 'liveChatNotFound':
    case 'videoNotFound':
      link.bookmark = null;
      return new ChatError('offline', 'The YouTube video has no live chat now.');
    case 'rateLimitExceeded':
    case 'userRateLimitExceeded':
      return new ChatError('lost', 'YouTube asks us to slow down.', { afterMs: 10_000 });
    default:
      if (status === 401) return new ChatError('refused', 'YouTube refused the API key.');
      // A page token that is no longer known would fail for ever.
      if (status === 400) link.bookmark = null;
      return new ChatError('lost', `YouTube answered ${status}.`);
  }
}
