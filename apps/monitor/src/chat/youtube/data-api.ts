import { z } from 'zod';
import { ChatError, type ChatLink } from '../chat-source.port.js';
import { ask, pause } from '../polling.js';
import { CHAT_ENDED, toDraft, typeOf } from './youtube-item.js';

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

/** What is asked of the YouTube Data API v3 (developers.google.com, "LiveChatMessages: list"), each call by a key. */
export class YoutubeDataApi {
  constructor(
    private readonly origin: string,
    private readonly apiKey: string,
    private readonly link: ChatLink,
    private readonly signal: AbortSignal,
  ) {}

  /** The chat of a video. One unit of quota. @throws ChatError */
  async liveChatId(videoId: string): Promise<string> {
    const videos = await this.get('videos', { part: 'liveStreamingDetails', id: videoId }, Videos);
    const id = videos.items[0]?.liveStreamingDetails?.activeLiveChatId;
    if (id === undefined) throw new ChatError('offline', 'The YouTube video has no live chat now.');
    return id;
  }

  /**
   * Reads a chat page by page, 5 units each, until the signal aborts.
   * @param leastPollMs time between two polls, whatever the server allows
   * @throws ChatError
   */
  async poll(liveChatId: string, leastPollMs: number): Promise<void> {
    const { link, signal } = this;
    while (!signal.aborted) {
      const page = await this.get(
        'liveChat/messages',
        {
          ...{ liveChatId, part: 'id,snippet,authorDetails', maxResults: '2000' },
          ...(link.bookmark === null ? {} : { pageToken: link.bookmark }),
        },
        Page,
      );
      link.live();
      passItems(page.items, link);
      link.bookmark = page.nextPageToken ?? null;
      if (page.offlineAt !== undefined || page.items.some((item) => typeOf(item) === CHAT_ENDED)) throw chatEnded(link);
      await pause(link, Math.max(page.pollingIntervalMillis, leastPollMs), signal);
    }
  }

  private async get<Schema extends z.ZodType>(
    path: string,
    query: Record<string, string>,
    schema: Schema,
  ): Promise<z.infer<Schema>> {
    const url = new URL(`/youtube/v3/${path}`, this.origin);
    url.search = new URLSearchParams({ ...query, key: this.apiKey }).toString();
    const { status, data } = await ask(this.link, url, TIMEOUT_MS, this.signal);
    const answer = schema.safeParse(data);
    if (status === 200 && answer.success) return answer.data;
    if (status === 200) this.link.garbage();
    throw failureOf(status, data, this.link);
  }
}

/** Hands items on, whichever way they came. */
export function passItems(items: readonly unknown[], link: ChatLink): void {
  for (const item of items) {
    const draft = toDraft(item);
    if (draft === null) link.garbage();
    else if (draft !== undefined) link.message(draft);
  }
}

/** The chat is over; what comes later is another one. */
export function chatEnded(link: ChatLink): ChatError {
  link.bookmark = null;
  return new ChatError('offline', 'The YouTube chat has ended.');
}

/** The quota of the key is spent. */
export function quotaSpent(): ChatError {
  return new ChatError('lost', 'The daily quota of the YouTube API key is spent.', { afterMs: QUOTA_WAIT_MS });
}

/** The key is not taken. */
export function keyRefused(): ChatError {
  return new ChatError('refused', 'YouTube refused the API key: check it, and that the Data API v3 is enabled for it.');
}

/** Reasons as "YouTube Data API: Errors" lists them. */
function failureOf(status: number, data: unknown, link: ChatLink): ChatError {
  const reason = Failure.safeParse(data).data?.error.errors[0]?.reason ?? '';
  switch (reason) {
    case 'quotaExceeded':
    case 'dailyLimitExceeded':
      return quotaSpent();
    case 'keyInvalid':
    case 'keyExpired':
    case 'badRequest':
    case 'accessNotConfigured':
    case 'ipRefererBlocked':
    case 'forbidden':
      return keyRefused();
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
      if (status === 401) return keyRefused();
      // A page token that is no longer known would fail for ever.
      if (status === 400) link.bookmark = null;
      return new ChatError('lost', `YouTube answered ${status}.`);
  }
}
