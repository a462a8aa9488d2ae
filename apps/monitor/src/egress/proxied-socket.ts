import { request } from 'node:http';
import type { Socket } from 'node:net';
import { WebSocket } from 'ws';
import { EgressError } from './egress-error.js';
import { portOf } from './http-message.js';
import { secured } from './tls-client.js';

/** How a WebSocket goes out. */
export interface ProxiedSocketOptions {
  /** The lane's proxy; it decides whether the host may be reached. */
  proxyUrl: string;
  /** Longest frame or message that is taken; a longer one ends the connection. */
  maxPayloadBytes: number;
  /** For the tunnel, TLS and the upgrade together. */
  handshakeTimeoutMs: number;
  headers?: Readonly<Record<string, string>>;
  /** Further certificate authorities, PEM. Certificates are verified with or without. */
  ca?: string;
}

/**
 * Opens a WebSocket (`ws:` or `wss:`) through a CONNECT tunnel of the lane's proxy (RFC 9110, 9.3.6), so that its
 * destination is checked and its bytes are counted like all others. Failures, `EgressError` among them, come as the
 * socket's `error` event. Compression is off: it would inflate without a limit.
 */
export function openProxiedSocket(url: string, options: ProxiedSocketOptions): WebSocket {
  const target = new URL(url);
  const connected = (socket: Socket): Socket =>
    target.protocol === 'wss:' ? secured(socket, target.hostname, options.ca) : socket;
  type Connected = (error: Error | null, socket?: Socket) => void;
  const createConnection = (_options: unknown, done: Connected): undefined => {
    tunnel(target, options).then(
      (socket) => done(null, connected(socket)),
      (error: unknown) => done(error instanceof Error ? error : new Error(String(error))),
    );
  };
  return new WebSocket(target, {
    perMessageDeflate: false,
    followRedirects: false,
    maxPayload: options.maxPayloadBytes,
    handshakeTimeout: options.handshakeTimeoutMs,
    headers: { ...options.headers },
    // Node's http calls it with a callback and takes no answer for "later"; the types know only of net.connect.
    createConnection: createConnection as unknown as typeof import('node:net').createConnection,
  });
}

/** @throws EgressError when the proxy refuses or cannot reach the host */
function tunnel(target: URL, { proxyUrl, handshakeTimeoutMs }: ProxiedSocketOptions): Promise<Socket> {
  const proxy = new URL(proxyUrl);
  const port = target.port !== '' ? Number(target.port) : target.protocol === 'wss:' ? 443 : portOf(target);
  const path = `${target.hostname}:${port}`;
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: proxy.hostname, port: proxy.port, method: 'CONNECT', path, agent: false });
    const timer = setTimeout(
      () => outgoing.destroy(new EgressError('stalled', 'The chat server cannot be reached in time.')),
      handshakeTimeoutMs,
    );
    outgoing.once('close', () => clearTimeout(timer));
    outgoing.once('connect', (response, socket: Socket, head: Buffer) => {
      clearTimeout(timer);
      if (response.statusCode === 200) {
        if (head.length > 0) socket.unshift(head);
        resolve(socket);
        return;
      }
      socket.destroy();
      reject(refusal(response.statusCode ?? 0, path));
    });
    outgoing.once('error', (error) =>
      reject(
        error instanceof EgressError
          ? error
          : new EgressError('unreachable', 'The way out is closed.', { cause: error }),
      ),
    );
    outgoing.end();
  });
}

function refusal(status: number, path: string): EgressError {
  if (status === 403)
    return new EgressError('refused_address', `${path} is refused; EGRESS_ALLOW lists what may be used.`);
  if (status === 429) return new EgressError('budget_exceeded', 'Too many connections are made for this stream.');
  return new EgressError('unreachable', `${path} cannot be reached.`);
}
