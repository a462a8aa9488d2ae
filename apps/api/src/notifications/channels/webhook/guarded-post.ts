import { lookup as systemLookup } from 'node:dns/promises';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { portAllowed, refusalOf } from '#libs/addresses/address-rules.js';
import { messageOf } from '#libs/errors/app-error.js';
import { DeliveryFault } from '../channel.port.js';

/** Finds every address of a host name. */
export type Resolver = (host: string) => Promise<readonly string[]>;

const systemResolver: Resolver = async (host) =>
  (await systemLookup(host, { all: true })).map(({ address }) => address);

/** How much of an answer is read; the rest is not waited for. */
const MOST_ANSWER_BYTES = 16_384;

/** What was answered. */
export interface PostAnswer {
  status: number;
  retryAfter: string | undefined;
}

/** Sends to addresses of other people's choosing, without being led into one's own network. */
export class GuardedPost {
  /** @param allow `host:port` of places that are allowed whatever their address. */
  constructor(
    private readonly allow: ReadonlySet<string>,
    private readonly resolve: Resolver = systemResolver,
  ) {}

  /**
   * Posts once. Every address of the host is checked, and the connection goes to a checked one; redirects are not
   * followed.
   * @throws DeliveryFault when the address is refused or nothing answers.
   */
  async post(
    url: string,
    body: string,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<PostAnswer> {
    const target = new URL(url);
    const address = await this.checked(target);
    try {
      return await send(target, address, body, headers, signal);
    } catch (error) {
      throw new DeliveryFault(
        signal.aborted ? 'The webhook did not answer in time.' : `The webhook cannot be reached: ${reasonOf(error)}`,
      );
    }
  }

  private async checked(target: URL): Promise<string> {
    if (target.protocol !== 'https:' && target.protocol !== 'http:') {
      throw new DeliveryFault('A webhook must be an http or https address.', true);
    }
    const host = target.hostname.replace(/^\[|\]$/g, '');
    const port = target.port === '' ? (target.protocol === 'https:' ? 443 : 80) : Number(target.port);
    const addresses = isIP(host) === 0 ? await this.resolved(host) : [host];
    const [first] = addresses;
    if (first === undefined) throw new DeliveryFault('The host of the webhook is not known.');
    if (this.allow.has(`${host}:${String(port)}`)) return first;
    if (!portAllowed(port)) throw new DeliveryFault('The port of the webhook is not allowed.', true);
    for (const address of addresses) {
      const refusal = refusalOf(address);
      if (refusal !== null) throw new DeliveryFault(`The address of the webhook is not allowed (${refusal}).`, true);
    }
    return first;
  }

  private async resolved(host: string): Promise<readonly string[]> {
    try {
      return await this.resolve(host);
    } catch {
      throw new DeliveryFault('The host of the webhook is not known.');
    }
  }
}

/** The allow list of a setting: `host:port` separated by commas. */
export function allowListOf(setting: string): Set<string> {
  return new Set(
    setting
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== ''),
  );
}

function send(
  target: URL,
  address: string,
  body: string,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<PostAnswer> {
  const family = isIP(address);
  // Pinned: the name is not looked up again, so a resolver that changes its mind changes nothing.
  const lookup: LookupFunction = (_host, options, callback) => {
    if (options.all === true) callback(null, [{ address, family }]);
    else callback(null, address, family);
  };
  const make = target.protocol === 'https:' ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const request = make(
      target,
      {
        method: 'POST',
        headers: { ...headers, 'content-length': String(Buffer.byteLength(body)) },
        lookup,
        signal,
        agent: false,
      },
      (response) => finish(response, resolve),
    );
    request.on('error', reject);
    request.end(body);
  });
}

function finish(response: IncomingMessage, resolve: (answer: PostAnswer) => void): void {
  let read = 0;
  response.on('data', (chunk: Buffer) => {
    read += chunk.length;
    if (read > MOST_ANSWER_BYTES) response.destroy();
  });
  response.on('error', () => undefined);
  resolve({ status: response.statusCode ?? 0, retryAfter: response.headers['retry-after'] });
}

/** The code of a network error: its text may hold the address. */
function reasonOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : messageOf(error).slice(0, 100);
}
