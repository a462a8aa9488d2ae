import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { ProxyMood } from './proxy-http-server.js';

/** Kinds of address in a request (RFC 1928, 5). */
const [IPV4, NAME, IPV6] = [1, 3, 4];

/** A SOCKS5 proxy on loopback for tests (RFC 1928, with RFC 1929 when it wants credentials); counts what it was asked. */
export class SocksProxyServer {
  /** Connections ever made. */
  accepted = 0;
  /** `address:port` of every request, oldest first; at most ten thousand. */
  readonly asked: string[] = [];
  /** Names it was asked to resolve. Must stay empty. */
  readonly names: string[] = [];
  mood: ProxyMood = 'works';
  /** Reply code of a refusal (RFC 1928, 6): 5 is "connection refused". */
  refusal = 5;
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    private readonly credentials: string | null,
    readonly port: number,
  ) {
    server.on('connection', (socket) => {
      this.accepted += 1;
      this.own(socket);
      this.serve(socket).catch(() => socket.destroy());
    });
  }

  /** @param credentials `user:password` that it wants to see */
  static async start(credentials?: string): Promise<SocksProxyServer> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new SocksProxyServer(server, credentials ?? null, (server.address() as AddressInfo).port);
  }

  get host(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** A line of `proxies.txt`. */
  get line(): string {
    return `socks5://${this.credentials === null ? '' : `${this.credentials}@`}${this.host}`;
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  private async serve(client: Socket): Promise<void> {
    if (this.mood === 'gibberish') {
      client.end('220 mail.example ESMTP\r\n');
      return;
    }
    const [, methods = 0] = await take(client, 2);
    const offered = await take(client, methods);
    if (this.credentials === null) client.write(Buffer.from([5, 0]));
    else if (!offered.includes(2)) {
      client.end(Buffer.from([5, 0xff]));
      return;
    } else {
      client.write(Buffer.from([5, 2]));
      const [, userLength = 0] = await take(client, 2);
      const user = (await take(client, userLength)).toString();
      const password = (await take(client, (await take(client, 1))[0] ?? 0)).toString();
      const good = `${user}:${password}` === this.credentials;
      client.write(Buffer.from([1, good ? 0 : 1]));
      if (!good) {
        client.end();
        return;
      }
    }
    const [, , , kind = 0] = await take(client, 4);
    const address = await this.addressOf(client, kind);
    const port = (await take(client, 2)).readUInt16BE(0);
    if (this.asked.length < 10_000) this.asked.push(`${address}:${port}`);
    if (this.mood === 'hangs') return;
    if (this.mood === 'refuses') {
      client.end(reply(this.refusal));
      return;
    }
    const upstream = connect({ host: address.replace(/^\[|\]$/g, ''), port });
    this.own(upstream);
    upstream.once('connect', () => {
      client.write(reply(0));
      client.pipe(upstream).pipe(client);
    });
    upstream.once('error', () => client.end(reply(5)));
    client.once('close', () => upstream.destroy());
    upstream.once('close', () => client.destroy());
  }

  private async addressOf(client: Socket, kind: number): Promise<string> {
    if (kind === IPV4) return [...(await take(client, 4))].join('.');
    if (kind === IPV6) {
      const bytes = await take(client, 16);
      return `[${Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2).toString(16)).join(':')}]`;
    }
    if (kind !== NAME) throw new Error('not an address');
    const name = (await take(client, (await take(client, 1))[0] ?? 0)).toString();
    this.names.push(name);
    return name;
  }

  private own(socket: Socket): void {
    this.sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => this.sockets.delete(socket));
  }
}

function reply(code: number): Buffer {
  return Buffer.from([5, code, 0, IPV4, 0, 0, 0, 0, 0, 0]);
}

/** The next `length` bytes. */
async function take(socket: Socket, length: number): Promise<Buffer> {
  if (length === 0) return Buffer.alloc(0);
  for (;;) {
    const bytes = socket.read(length) as Buffer | null;
    if (bytes !== null) return bytes;
    if (socket.readableEnded || socket.destroyed) throw new Error('ended');
    await new Promise<void>((resolve) => {
      const done = (): void => {
        for (const event of ['readable', 'end', 'close']) socket.removeListener(event, done);
        resolve();
      };
      for (const event of ['readable', 'end', 'close']) socket.once(event, done);
    });
  }
}
