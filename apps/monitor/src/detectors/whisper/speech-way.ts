import { request, type IncomingMessage } from 'node:http';
import { isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { AppError } from '#libs/errors/app-error.js';
import { EgressProxy } from '../../egress/egress-proxy.js';
import type { EgressLane } from '../../egress/egress-lane.js';
import type { EgressStats } from '../../egress/lane-budget.js';

/** Longest answer that is taken, bytes. */
const MOST_BYTES = 2 ** 20;
/** Utterances go up and a sentence comes down: nothing else needs this lane. */
const LIMITS = { connections: 8, idleTimeoutMs: 60_000 };

/**
 * The way to the operator's speech server: a way out of its own, so that only speech, and no stream, may use an
 * address that is private. Goes through a CONNECT tunnel, where the destination is checked and bytes are counted.
 */
export class SpeechWay {
  private constructor(
    private readonly proxy: EgressProxy,
    private readonly lane: EgressLane,
  ) {}

  /** @param serverUrl the one server that may be reached */
  static async open(serverUrl: string): Promise<SpeechWay> {
    const { hostname, port, protocol } = new URL(serverUrl);
    const proxy = await EgressProxy.start({ allow: [`${hostname}:${port || (protocol === 'https:' ? 443 : 80)}`] });
    return new SpeechWay(proxy, await proxy.open('speech', LIMITS));
  }

  /** What went through here since it was opened. */
  get stats(): Readonly<EgressStats> {
    return this.proxy.stats;
  }

  /** As the global `fetch`, for requests that fit in memory. Redirects are not followed. */
  async fetch(url: URL, init: RequestInit): Promise<Response> {
    const sent = new Request(url, init);
    const body = Buffer.from(await sent.arrayBuffer());
    const { signal } = sent;
    const tunnel = await this.tunnel(url, signal);
    const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
    const servername = isIP(host) === 0 ? { servername: host } : {};
    const socket = url.protocol === 'https:' ? connectTls({ socket: tunnel, host, ...servername }) : tunnel;
    try {
      const answer = await new Promise<IncomingMessage>((resolve, reject) => {
        const headers = { ...Object.fromEntries(sent.headers), 'content-length': body.length, connection: 'close' };
        const path = `${url.pathname}${url.search}`;
        const outgoing = request({
          ...{ createConnection: () => socket, method: sent.method, path, signal },
          headers: { host: url.host, ...headers },
        });
        outgoing.once('response', resolve);
        outgoing.once('error', reject);
        outgoing.end(body);
      });
      return new Response(await collected(answer), { status: answer.statusCode ?? 502 });
    } finally {
      socket.destroy();
      tunnel.destroy();
    }
  }

  async close(): Promise<void> {
    await this.lane.close();
    await this.proxy.stop();
  }

  private tunnel(url: URL, signal: AbortSignal): Promise<Socket> {
    const proxy = new URL(this.lane.proxyUrl);
    const path = `${url.hostname}:${url.port || (url.protocol === 'https:' ? 443 : 80)}`;
    return new Promise((resolve, reject) => {
      const outgoing = request({
        ...{ host: proxy.hostname, port: proxy.port, method: 'CONNECT', path, agent: false, signal },
      });
      outgoing.once('connect', ({ statusCode }, socket: Socket) => {
        socket.on('error', () => undefined);
        if (statusCode === 200) return resolve(socket);
        socket.destroy();
        const why = this.lane.lastFault()?.detail ?? `the way out answered ${statusCode ?? 0}`;
        reject(new AppError('asr.unreachable', 'operational', `${path} cannot be reached: ${why}`));
      });
      outgoing.once('error', reject);
      outgoing.end();
    });
  }
}

async function collected(answer: IncomingMessage): Promise<Uint8Array<ArrayBuffer>> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of answer as AsyncIterable<Buffer>) {
    size += piece.length;
    if (size > MOST_BYTES)
      throw new AppError('asr.failed', 'operational', 'The answer of the speech server is too long.');
    pieces.push(piece);
  }
  return Uint8Array.from(Buffer.concat(pieces));
}
