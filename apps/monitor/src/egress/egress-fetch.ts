import { request, type IncomingMessage } from 'node:http';
import { AppError, messageOf } from '#libs/errors/app-error.js';
import type { DestinationRules } from './destinations.js';
import { EgressError } from './egress-error.js';
import { assertNotCompressed, basicAuth, portOf } from './http-message.js';
import type { LaneBudget } from './lane-budget.js';
import type { Route } from './route.js';
import { secured } from './tls-client.js';

/** What to send. */
export interface FetchInit {
  headers?: Readonly<Record<string, string>>;
  /** Text of a POST; its type belongs into the headers. */
  body?: string;
  /**
   * POST when there is a body, else GET. A POST is not sent on to where it is redirected: the redirection is the
   * answer then.
   */
  method?: 'GET' | 'POST';
  /** Bytes of the body that are kept; reading stops there. 64 KiB when unset. */
  maxBytes?: number;
  /** For everything together, redirects included; 10 s when unset. */
  timeoutMs?: number;
  signal?: AbortSignal;
}

/** What came back. */
export interface FetchedResponse {
  status: number;
  headers: Readonly<Record<string, string>>;
  /** Address of the answer, after redirects. */
  url: string;
  body: Buffer;
  /** True when the body was longer than what is kept. */
  truncated: boolean;
}

/** What a fetch is bound by. */
export interface FetchBounds {
  destinations: DestinationRules;
  budget: LaneBudget;
  route: Route;
  /** Further certificate authorities, PEM. */
  ca?: string;
  closing: AbortSignal;
}

const MAX_REDIRECTS = 5;

/** See `EgressLane.fetch`. */
export async function fetchThrough(url: string, init: FetchInit, bounds: FetchBounds): Promise<FetchedResponse> {
  const late = AbortSignal.timeout(init.timeoutMs ?? 10_000);
  const signal = AbortSignal.any([bounds.closing, late, ...(init.signal === undefined ? [] : [init.signal])]);
  const method = init.method ?? (init.body === undefined ? 'GET' : 'POST');
  let target = parse(url);
  let headers = init.headers ?? {};
  try {
    for (let hop = 0; hop <= MAX_REDIRECTS; hop += 1) {
      const response = await exchange(target, { ...init, method, headers }, bounds, signal);
      const location = method === 'POST' ? undefined : response.headers.location;
      const redirected = [301, 302, 303, 307, 308].includes(response.statusCode ?? 0) && location !== undefined;
      assertNotCompressed(response);
      if (!redirected) return await collect(response, target, init.maxBytes ?? 64 * 2 ** 10, bounds.budget, signal);
      response.destroy();
      const next = parse(new URL(location, target).href);
      // What is meant for one host is not told to another.
      if (next.host !== target.host) headers = withoutSecrets(headers);
      target = next;
    }
  } catch (error) {
    if (late.aborted) throw new EgressError('stalled', 'The server did not answer in time.', { cause: error });
    if (error instanceof AppError) throw error;
    throw new EgressError('unreachable', `The connection failed (${messageOf(error)}).`, { cause: error });
  }
  throw new EgressError('unreachable', `It redirects more than ${MAX_REDIRECTS} times.`);
}

function parse(url: string): URL {
  if (!URL.canParse(url)) throw new EgressError('refused_address', 'It leads to an address that is not a valid url.');
  const target = new URL(url);
  if (target.protocol === 'http:' || target.protocol === 'https:') return target;
  throw new EgressError('refused_address', `It leads to a ${target.protocol} address, which is not allowed.`);
}

async function exchange(
  url: URL,
  { method = 'GET', headers, body }: FetchInit,
  { destinations, budget, route, ca }: FetchBounds,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  signal.throwIfAborted();
  budget.request(0);
  const addresses = await destinations.of(url.hostname, portOf(url));
  const socket = await route.connect(addresses, portOf(url), budget.limits.connectTimeoutMs, signal);
  const onAbort = (): void => void socket.destroy(new Error('aborted'));
  signal.addEventListener('abort', onAbort, { once: true });
  socket.once('close', () => signal.removeEventListener('abort', onAbort));
  const connection = url.protocol === 'https:' ? secured(socket, url.hostname, ca) : socket;
  return new Promise((resolve, reject) => {
    const outgoing = request({
      createConnection: () => connection,
      method,
      path: `${url.pathname}${url.search}`,
      headers: { ...headers, ...basicAuth(url), host: url.host, 'accept-encoding': 'identity', connection: 'close' },
      maxHeaderSize: budget.limits.headerBytes,
    });
    outgoing.once('response', resolve);
    outgoing.on('error', (error) => {
      socket.destroy();
      reject(error);
    });
    outgoing.end(body);
  });
}

async function collect(
  response: IncomingMessage,
  url: URL,
  maxBytes: number,
  budget: LaneBudget,
  signal: AbortSignal,
): Promise<FetchedResponse> {
  const pieces: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      signal.throwIfAborted();
      budget.received(chunk.length);
      pieces.push(chunk);
      length += chunk.length;
      if (length >= maxBytes) break;
    }
  } finally {
    response.destroy();
  }
  return {
    status: response.statusCode ?? 0,
    headers: Object.fromEntries(
      Object.entries(response.headers).map(([name, value]) => [
        name,
        Array.isArray(value) ? value.join(', ') : (value ?? ''),
      ]),
    ),
    url: url.href,
    body: Buffer.concat(pieces).subarray(0, maxBytes),
    truncated: length >= maxBytes,
  };
}

function withoutSecrets(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => !['authorization', 'cookie'].includes(name.toLowerCase())),
  );
}
