import type { z } from 'zod';
import type { StatusReason } from '#libs/contracts/primitives.js';
import { redactUrls } from '#libs/observability/logger.js';
import { EgressError } from '../egress/egress-error.js';
import type { FetchedResponse } from '../egress/egress-fetch.js';
import { PlatformError, type WayOut } from './platform.port.js';

const OUTCOMES: Partial<Record<StatusReason, PlatformError['outcome']>> = {
  unknown_host: 'gone',
  refused_address: 'blocked',
  budget_exceeded: 'blocked',
  not_a_stream: 'changed',
};

/**
 * Turns what the way out says into what the port promises.
 * @throws PlatformError; what aborted `signal`
 */
export async function answered<Answer>(request: Promise<Answer>, signal?: AbortSignal): Promise<Answer> {
  try {
    return await request;
  } catch (error) {
    signal?.throwIfAborted();
    if (!(error instanceof EgressError)) throw error;
    throw new PlatformError(OUTCOMES[error.reason] ?? 'offline', error.reason, redactUrls(error.message), {
      cause: error,
    });
  }
}

/** One question to a site. */
export interface Question {
  url: string;
  /** Name of the site, for people. */
  site: string;
  headers?: Readonly<Record<string, string>>;
  /** Makes it a POST of this JSON. */
  json?: unknown;
  /** Longest answer that is read, bytes; 1 MiB when unset. */
  maxBytes?: number;
}

/**
 * Asks a site, whatever status it answers with.
 * @throws PlatformError when it cannot be asked; what aborted `signal`
 */
export function ask(question: Question, lane: WayOut, signal: AbortSignal): Promise<FetchedResponse> {
  const { url, headers = {}, json, maxBytes = 2 ** 20 } = question;
  const body = json === undefined ? {} : { body: JSON.stringify(json) };
  const type: Record<string, string> = json === undefined ? {} : { 'content-type': 'application/json' };
  return answered(lane.fetch(url, { headers: { ...type, ...headers }, ...body, maxBytes, signal }), signal);
}

/**
 * What a status means where the site gives it no meaning of its own.
 * @throws PlatformError for any but 2xx
 */
export function assertAnswered({ status }: FetchedResponse, site: string): void {
  const said = `${site} answered ${status}`;
  if (status === 404 || status === 410) throw PlatformError.of('gone', `${said}: it does not know this stream.`);
  if (status === 401) throw PlatformError.of('auth_required', `${said}: it wants a login.`);
  if (status === 451) throw PlatformError.of('geo_blocked', `${said}: it does not show this stream here.`);
  if (status === 403) throw new PlatformError('blocked', 'forbidden', `${said}: it refuses this machine.`);
  if (status === 429) throw new PlatformError('offline', 'unreachable', `${said}: it was asked too often.`);
  if (status >= 400 || status < 200) throw new PlatformError('offline', 'unreachable', `${said}.`);
  if (status >= 300) throw changed(site, `a redirect (${status})`);
}

/**
 * Reads a JSON answer.
 * @throws PlatformError `changed` when it is none, or not the one that is expected
 */
export function parseAnswer<Schema extends z.ZodType>(
  { body, truncated }: Pick<FetchedResponse, 'body' | 'truncated'>,
  schema: Schema,
  site: string,
): z.infer<Schema> {
  if (truncated) throw changed(site, 'more than anybody asked for');
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch {
    throw changed(site, /^\s*</.test(body.toString('latin1', 0, 200)) ? 'a page instead of data' : 'no valid JSON');
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw changed(site, `data of another shape (${parsed.error.issues[0]?.path.join('.').slice(0, 80) ?? ''})`);
}

/** The site has changed its protocol, or something else answers in its place. */
export function changed(site: string, what: string): PlatformError {
  return new PlatformError(
    'changed',
    'not_a_stream',
    `${site} answered with ${what}; it may have changed. Enter the address of the stream itself, or use streamlink or yt-dlp.`,
  );
}

/** Refuses what an adapter cannot make sense of. */
export function notAddress(site: string, example: string): PlatformError {
  return new PlatformError(
    'changed',
    'unsupported_scheme',
    `That is no address of a stream on ${site}; it looks like ${example}.`,
  );
}
