import type { ChatLink } from './chat-source.port.js';
import { ChatError } from './chat-source.port.js';
import { parseJson } from './json-frame.js';

const BODY_LIMIT = 2 * 2 ** 20;

/** What an HTTP API answered. */
export interface Answer {
  status: number;
  /** The body as JSON; undefined when it is none. */
  data: unknown;
}

/** What is asked beyond a plain GET. */
export interface Question {
  headers?: Readonly<Record<string, string>>;
  /** When set, it is posted as JSON. */
  json?: unknown;
}

/**
 * Asks a JSON API once, within a time that the link's clock measures.
 * @throws ChatError when there is no answer, or one from another server than was asked. It never names the url.
 */
export async function ask(
  link: ChatLink,
  url: URL,
  timeoutMs: number,
  signal: AbortSignal,
  { headers = {}, json }: Question = {},
): Promise<Answer> {
  // Not AbortSignal.any: a poll every second for days would leave its traces on the long-lived signal.
  const ending = new AbortController();
  let isLate = false;
  const onAbort = (): void => ending.abort();
  const cancel = link.clock.after(timeoutMs, () => {
    isLate = true;
    ending.abort();
  });
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    signal.throwIfAborted();
    const response = await link.lane.fetch(url.href, {
      ...{ signal: ending.signal, maxBytes: BODY_LIMIT },
      ...(json === undefined
        ? { headers }
        : { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(json) }),
      // Ours comes first; this one holds when the clock does not run.
      timeoutMs: timeoutMs + 5_000,
    });
    if (new URL(response.url).origin !== url.origin) throw new ChatError('lost', 'The chat server sends us elsewhere.');
    return { status: response.status, data: response.truncated ? undefined : parseJson(response.body.toString()) };
  } catch (error) {
    if (isLate) {
      throw new ChatError('lost', 'The chat server no longer answers.', {}, { cause: error });
    }
    throw error;
  } finally {
    cancel();
    signal.removeEventListener('abort', onAbort);
  }
}

/** Waits by the link's clock, or until the signal aborts. */
export function pause(link: ChatLink, ms: number, signal: AbortSignal): Promise<void> {
  if (ms <= 0 || signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const cancel = link.clock.after(ms, () => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    });
    const onAbort = (): void => {
      cancel();
      resolve();
    };
    signal.addEventListener('abort', onAbort, { once: true });
  });
}
