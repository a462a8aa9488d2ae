import { request } from 'node:http';
import { isIP, type Socket } from 'node:net';
import { SocksClient } from 'socks';
import { connectTo } from './connect.js';
import type { Resolver } from './destinations.js';
import type { ProxyEndpoint } from './proxy-endpoint.js';
import { secured } from './tls-client.js';

/** Where a tunnel leads and how long it may take. */
export interface TunnelTarget {
  /** Numeric and checked: the proxy is never asked for a name, so it cannot resolve one to somewhere else. */
  address: string;
  port: number;
  timeoutMs: number;
  signal: AbortSignal;
}

/** How proxies themselves are reached. */
export interface TunnelMeans {
  resolve: Resolver;
  /** Further certificate authorities for `https` proxies, PEM. */
  ca?: string;
  /** Told the addresses of a proxy as they are found out. */
  found?: (addresses: readonly string[]) => void;
}

/**
 * A tunnel that did not come about. Carries no cause: what libraries throw names the credentials.
 * `fault` says whose fault it is: `proxy` (it cannot be reached, does not speak the protocol, refuses us) or `unclear`
 * (it answers, but does not get there: the destination may be down just as well).
 */
export class TunnelError extends Error {
  constructor(
    readonly fault: 'proxy' | 'unclear',
    message: string,
  ) {
    super(message);
  }
}

/**
 * Opens a tunnel through a proxy: CONNECT (RFC 9110, 9.3.6) or SOCKS5 (RFC 1928, RFC 1929). Plain http goes through a
 * tunnel as well: a forward request would have to name the address to be pinned, and the proxy would then put it in
 * the place of the `Host` that the origin needs (RFC 9112, 3.2.2).
 * @throws TunnelError
 */
export async function openTunnel(endpoint: ProxyEndpoint, target: TunnelTarget, means: TunnelMeans): Promise<Socket> {
  const socket = await reach(endpoint, target, means);
  const channel = endpoint.scheme === 'https' ? secured(socket, endpoint.host, means.ca) : socket;
  const late = AbortSignal.any([AbortSignal.timeout(target.timeoutMs), target.signal]);
  const abandon = (): void => {
    for (const part of [channel, socket]) part.on('error', () => undefined).destroy(new Error('abandoned'));
  };
  late.addEventListener('abort', abandon, { once: true });
  try {
    late.throwIfAborted();
    if (channel !== socket) await handshaken(channel);
    return await (endpoint.scheme === 'socks5' ? socks(endpoint, channel, target) : connect(endpoint, channel, target));
  } catch (error) {
    abandon();
    if (late.aborted) throw new TunnelError('unclear', 'the proxy did not answer in time');
    throw error instanceof TunnelError ? error : new TunnelError('unclear', 'the proxy broke the connection off');
  } finally {
    late.removeEventListener('abort', abandon);
  }
}

async function reach(
  { host, port }: ProxyEndpoint,
  { timeoutMs, signal }: TunnelTarget,
  { resolve, found }: TunnelMeans,
): Promise<Socket> {
  let addresses: readonly string[] = [host];
  if (isIP(host) === 0) {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<readonly string[]>((settle) => (timer = setTimeout(() => settle([]), timeoutMs)));
    addresses = await Promise.race([resolve(host), late])
      .catch(() => [])
      .finally(() => clearTimeout(timer));
    if (addresses.length === 0) throw new TunnelError('proxy', 'the host name of the proxy has no address');
  }
  found?.(addresses);
  try {
    return await connectTo(addresses.slice(0, 2), port, timeoutMs, signal);
  } catch (error) {
    const { cause } = error as { cause?: { code?: unknown } };
    const code = typeof cause?.code === 'string' ? cause.code : 'no answer';
    throw new TunnelError('proxy', `the proxy cannot be reached (${code})`);
  }
}

function handshaken(channel: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    channel.once('secureConnect', () => resolve());
    channel.once('close', () => reject(new TunnelError('unclear', 'the proxy broke the connection off')));
    channel.once('error', (error: NodeJS.ErrnoException) =>
      reject(new TunnelError('proxy', `the TLS of the proxy failed (${error.code ?? 'unknown'})`)),
    );
  });
}

function connect(endpoint: ProxyEndpoint, socket: Socket, { address, port }: TunnelTarget): Promise<Socket> {
  const path = isIP(address) === 6 ? `[${address}]:${port}` : `${address}:${port}`;
  const credentials = endpoint.credentials();
  const pair = credentials === null ? null : `${credentials.user}:${credentials.password}`;
  return new Promise((resolve, reject) => {
    const outgoing = request({
      createConnection: () => socket,
      method: 'CONNECT',
      path,
      headers: {
        host: path,
        ...(pair === null ? {} : { 'proxy-authorization': `Basic ${Buffer.from(pair).toString('base64')}` }),
      },
      maxHeaderSize: 16 * 2 ** 10,
    });
    outgoing.once('connect', (response, tunnel: Socket, head: Buffer) => {
      const status = response.statusCode ?? 0;
      if (status >= 200 && status <= 299) {
        if (head.length > 0) tunnel.unshift(head);
        resolve(tunnel);
      } else reject(refusal(status, port));
    });
    outgoing.once('response', () => reject(new TunnelError('proxy', 'the proxy does not speak the protocol')));
    outgoing.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        error.code?.startsWith('HPE_') === true
          ? new TunnelError('proxy', 'the proxy does not speak the protocol')
          : new TunnelError('unclear', 'the proxy broke the connection off'),
      ),
    );
    outgoing.end();
  });
}

function refusal(status: number, port: number): TunnelError {
  if (status === 401 || status === 407)
    return new TunnelError('proxy', `the proxy refuses our credentials (${status})`);
  if (status === 429) return new TunnelError('proxy', 'the proxy answered 429: it is asked too often');
  const what = status === 403 || status === 405 ? `refuses a tunnel to port ${port}` : 'makes no tunnel';
  return new TunnelError('unclear', `the proxy ${what} (${status})`);
}

async function socks(
  endpoint: ProxyEndpoint,
  socket: Socket,
  { address, port, timeoutMs }: TunnelTarget,
): Promise<Socket> {
  const credentials = endpoint.credentials();
  try {
    const { socket: tunnel } = await SocksClient.createConnection({
      command: 'connect',
      proxy: {
        ...{ host: endpoint.host, port: endpoint.port, type: 5 as const },
        ...(credentials === null ? {} : { userId: credentials.user, password: credentials.password }),
      },
      destination: { host: address, port },
      timeout: timeoutMs,
      existing_socket: socket,
    });
    return tunnel;
  } catch (error) {
    throw socksError(error instanceof Error ? error.message : '');
  }
}

/** The library's errors carry its options, password included: only what they say is used. */
function socksError(text: string): TunnelError {
  if (/Authentication/i.test(text)) return new TunnelError('proxy', 'the proxy refuses our credentials');
  const [, reply] = /rejected connection - (\w{1,30})/i.exec(text) ?? [];
  if (reply !== undefined) return new TunnelError('unclear', `the proxy makes no tunnel (${reply})`);
  if (/invalid|version|no accepted|unknown auth/i.test(text)) {
    return new TunnelError(
      'proxy',
      /accepted/i.test(text) ? 'the proxy refuses our credentials' : 'the proxy does not speak the protocol',
    );
  }
  return new TunnelError('unclear', 'the proxy broke the connection off');
}
