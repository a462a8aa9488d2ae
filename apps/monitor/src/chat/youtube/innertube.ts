import { z } from 'zod';
import { ChatError, type ChatLink } from '../chat-source.port.js';
import { ask, pause } from '../polling.js';
import { toDraft } from './innertube-action.js';

/** The site, and our manners towards it. */
export interface InnertubeServer {
  /** Origin of the site. */
  siteUrl: string;
  /** Least time between two polls, ms, whatever the site allows. */
  leastPollMs: number;
}

/**
 * We say what we are: the client of the site that we speak like. English, so that amounts can be read. The version may
 * be older than that of the site; it takes versions of years ago.
 */
const CONTEXT = { client: { clientName: 'WEB', clientVersion: '2.20260623.01.00', hl: 'en', gl: 'US' } };
const TIMEOUT_MS = 15_000;
const LONGEST_POLL_MS = 30_000;
const ACTION_LIMIT = 2_000;
/** Who is taken for a machine should not insist. */
const TURNED_AWAY_MS = 5 * 60_000;
/** Told apart from the page tokens of the Data API, which are kept in the same place. */
const MARK = 'site:';

const Token = z.object({ continuation: z.string().min(1).max(10_000), timeoutMs: z.number().nonnegative().catch(0) });
const Continuation = z
  .object({
    invalidationContinuationData: Token.optional(),
    timedContinuationData: Token.optional(),
    reloadContinuationData: Token.optional(),
  })
  .transform((data) => data.invalidationContinuationData ?? data.timedContinuationData ?? data.reloadContinuationData);
const Next = z.object({
  contents: z.object({
    twoColumnWatchNextResults: z.object({
      conversationBar: z
        .object({
          liveChatRenderer: z
            .object({ continuations: z.array(Continuation).min(1).max(20), isReplay: z.boolean().optional() })
            .optional(),
        })
        .optional(),
    }),
  }),
});
const Page = z.object({
  continuationContents: z
    .object({
      liveChatContinuation: z.object({
        continuations: z.array(Continuation).max(20).catch([]),
        actions: z.array(z.unknown()).default([]),
      }),
    })
    .optional(),
});

/**
 * Reads the chat of a video as the site does (`youtubei/v1`), without a key, until the signal aborts. Not documented by
 * YouTube: it may change on any day.
 * @throws ChatError
 */
export async function readInnertube(
  videoId: string,
  { siteUrl, leastPollMs }: InnertubeServer,
  link: ChatLink,
  signal: AbortSignal,
): Promise<void> {
  const post = async (path: string, question: object): Promise<unknown> => {
    const url = new URL(`/youtubei/v1/${path}?prettyPrint=false`, siteUrl);
    const { status, data } = await ask(link, url, TIMEOUT_MS, signal, { json: { context: CONTEXT, ...question } });
    if (status === 200) return data;
    // A continuation that is no longer known would fail for ever.
    link.bookmark = null;
    throw failureOf(status);
  };
  const kept = link.bookmark?.startsWith(MARK) === true ? link.bookmark.slice(MARK.length) : null;
  let continuation = kept ?? first(await post('next', { videoId }), link);
  while (!signal.aborted) {
    const { data: page } = Page.safeParse(await post('live_chat/get_live_chat', { continuation }));
    if (page === undefined) {
      link.garbage();
      link.bookmark = null;
      throw new ChatError('lost', 'YouTube answered something that is no page of chat.');
    }
    const chat = page.continuationContents?.liveChatContinuation;
    if (chat !== undefined) {
      link.live();
      for (const action of chat.actions.slice(0, ACTION_LIMIT)) {
        const draft = toDraft(action, link.clock.now());
        if (draft === null) link.garbage();
        else if (draft !== undefined) link.message(draft);
      }
    }
    const next = chat?.continuations.find((token) => token !== undefined);
    if (next === undefined) {
      link.bookmark = null;
      throw new ChatError('offline', 'The YouTube chat has ended.');
    }
    continuation = next.continuation;
    link.bookmark = `${MARK}${continuation}`;
    await pause(link, Math.min(LONGEST_POLL_MS, Math.max(next.timeoutMs, leastPollMs)), signal);
  }
}

/** @throws ChatError `offline` when the video has no live chat */
function first(answer: unknown, link: ChatLink): string {
  const { data } = Next.safeParse(answer);
  if (data === undefined) {
    link.garbage();
    throw new ChatError('lost', 'YouTube answered something that is no page of a video.');
  }
  const chat = data.contents.twoColumnWatchNextResults.conversationBar?.liveChatRenderer;
  const token = chat?.isReplay === true ? undefined : chat?.continuations.find((found) => found !== undefined);
  if (token === undefined) throw new ChatError('offline', 'The YouTube video has no live chat now.');
  return token.continuation;
}

function failureOf(status: number): ChatError {
  if (status === 404) return new ChatError('offline', 'There is no such YouTube video.');
  if (status === 403 || status === 429) {
    const advice = 'YouTube turns us away; an API key would be taken.';
    return new ChatError('lost', advice, { afterMs: TURNED_AWAY_MS });
  }
  return new ChatError('lost', `YouTube answered ${status}.`);
}
