import { createServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { connect, type AddressInfo, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** What a stand-in for a proxy can do wrong. */
export type ProxyMood = 'works' | 'refuses' | 'hangs' | 'gibberish';

/** An upstream proxy on loopback for tests that speaks CONNECT (RFC 9110, 9.3.6) and counts what it was asked. */
export class HttpProxyServer {
  /** Connections ever made. */
  accepted = 0;
  /** `address:port` of every CONNECT, oldest first; at most ten thousand. */
  readonly asked: string[] = [];
  /** Request lines of what was no CONNECT. Must stay empty. */
  readonly forwarded: string[] = [];
  mood: ProxyMood = 'works';
  /** Status of a refusal. */
  refusal = 502;
  private readonly sockets = new Set<Duplex>();

  private constructor(
    private readonly server: Server,
    private readonly credentials: string | null,
    readonly port: number,
  ) {
    server.on('connection', (socket: Socket) => {
      this.accepted += 1;
      this.own(socket);
    });
    server.on('request', (request, response) => {
      this.forwarded.push(`${request.method ?? ''} ${request.url ?? ''}`);
      response.writeHead(501).end();
    });
    server.on('connect', (request: IncomingMessage, client: Duplex) => this.tunnel(request, client));
    server.on('clientError', (_error: Error, socket: Duplex) => socket.destroy());
  }

  /**
   * @param credentials `user:password` that it wants to see
   * @param tls certificate and key (PEM) when it is an `https` proxy
   */
  static async start(credentials?: string, tls?: { cert: string; key: string }): Promise<HttpProxyServer> {
    const server = tls === undefined ? createServer() : createTlsServer(tls);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new HttpProxyServer(server, credentials ?? null, (server.address() as AddressInfo).port);
  }

  get host(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** A line of `proxies.txt`. */
  get line(): string {
    return `http://${this.credentials === null ? '' : `${this.credentials}@`}${this.host}`;
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  private tunnel(request: IncomingMessage, client: Duplex): void {
    this.own(client);
    const target = request.url ?? '';
    if (this.asked.length < 10_000) this.asked.push(target);
    const wanted = this.credentials === null ? null : `Basic ${Buffer.from(this.credentials).toString('base64')}`;
    if (wanted !== null && request.headers['proxy-authorization'] !== wanted) {
      client.end('HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="x"\r\n\r\n');
      return;
    }
    if (this.mood === 'hangs') return;
    if (this.mood === 'gibberish') {
      client.end('220 mail.example ESMTP\r\n');
      return;
    }
    if (this.mood === 'refuses') {
      client.end(`HTTP/1.1 ${this.refusal} No\r\nContent-Length: 0\r\n\r\n`);
      return;
    }
    const { hostname, port } = new URL(`http://${target}`);
    const upstream = connect({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port === '' ? 80 : port) });
    this.own(upstream);
    upstream.once('connect', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      client.pipe(upstream).pipe(client);
    });
    upstream.once('error', () => client.end('HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n'));
    client.once('close', () => upstream.destroy());
    upstream.once('close', () => client.destroy());
  }

  private own(socket: Duplex): void {
    if (this.sockets.has(socket)) return;
    this.sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => this.sockets.delete(socket));
  }
}
