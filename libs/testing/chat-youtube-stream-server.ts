import { createSecureServer, type Http2SecureServer, type ServerHttp2Stream } from 'node:http2';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { UNTRUSTED_CERTIFICATE } from './chat-certificate.js';
import type { ChatStand } from './chat-socket-server.js';
import { ChatYoutubeServer } from './chat-youtube-server.js';

/**
 * Speaks the push of the YouTube Data API (gRPC over HTTP/2 over TLS) on loopback, for tests, beside the calls over
 * HTTP that come before it. Frames and fields are written byte by byte from their published numbers, so that it does
 * not share its mistakes with whoever reads it. It says in a header that it is a stand-in.
 */
export class ChatYoutubeStreamServer implements ChatStand {
  /** Streams ever opened. */
  opened = 0;
  /** Page tokens that the streams were opened with; null for none. The newest last. */
  readonly tokens: (string | null)[] = [];
  /** Keys that the streams were opened with. */
  readonly keys: string[] = [];
  /** Answers the next streams instead, by a status of gRPC. */
  readonly refusals: number[] = [];
  readonly port: number;
  private readonly items: Buffer[] = [];
  private readonly streams = new Map<ServerHttp2Stream, number>();
  private readonly pipes = new Set<{ near: Socket; far: Socket }>();

  private constructor(
    readonly api: ChatYoutubeServer,
    private readonly grpc: Http2SecureServer,
    private readonly front: Server,
  ) {
    this.port = (front.address() as AddressInfo).port;
    grpc.on('session', (session) => session.on('error', () => undefined));
    grpc.on('stream', (stream, headers) => {
      this.keys.push(String(headers['x-goog-api-key']));
      this.take(stream);
    });
    front.on('connection', (near) => {
      const far = connect((grpc.address() as AddressInfo).port, '127.0.0.1');
      const pipe = { near, far };
      this.pipes.add(pipe);
      near.pipe(far).pipe(near);
      for (const socket of [near, far]) {
        socket.on('error', () => undefined);
        socket.once('close', () => {
          this.pipes.delete(pipe);
          near.destroy();
          far.destroy();
        });
      }
    });
  }

  static async start(): Promise<ChatYoutubeStreamServer> {
    const grpc = createSecureServer(UNTRUSTED_CERTIFICATE);
    const front = createServer();
    for (const server of [grpc, front])
      await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    return new ChatYoutubeStreamServer(await ChatYoutubeServer.start(), grpc, front);
  }

  /** Where it pushes. */
  get url(): string {
    return `https://localhost:${this.port}/`;
  }

  get hosts(): readonly string[] {
    return [...this.api.hosts, `localhost:${this.port}`];
  }

  get accepted(): number {
    return this.api.accepted + this.opened;
  }

  /** Streams that are open now. */
  get open(): number {
    return this.streams.size;
  }

  say({ id, user, text }: { id: string; user: string; text: string }): void {
    const snippet = [field(1, 1), field(4, '2024-01-05T10:00:00Z'), field(16, text), field(19, [field(1, text)])];
    const author = [field(10_101, `UC${user}`), field(103, user), field(7, 1)];
    this.item([field(101, id), field(2, snippet), field(3, author)]);
  }

  /** Something appears in the chat: the fields of a LiveChatMessage. */
  item(fields: readonly Buffer[]): void {
    this.items.push(field(1_007, fields));
    for (const stream of this.streams.keys()) this.push(stream);
  }

  /** Ends every stream in order, as the real server does now and then. */
  end(status = 0): void {
    for (const stream of [...this.streams.keys()]) finish(stream, status);
  }

  /** Sends bytes that are no message. */
  corrupt(): void {
    for (const stream of this.streams.keys()) stream.write(framed(Buffer.from([0xff, 0xff, 0xff])));
  }

  babble(): void {
    this.item([field(101, 'x'), field(2, [field(1, 1)])]);
  }

  sever(): void {
    for (const { near } of this.pipes) near.destroy();
  }

  freeze(): void {
    for (const { near, far } of this.pipes) {
      near.unpipe();
      far.unpipe();
    }
  }

  async stop(): Promise<void> {
    this.sever();
    await Promise.all([
      this.api.stop(),
      ...[this.front, this.grpc].map((server) => new Promise<void>((resolve) => void server.close(() => resolve()))),
    ]);
  }

  private take(stream: ServerHttp2Stream): void {
    this.opened += 1;
    stream.on('error', () => undefined);
    stream.on('close', () => this.streams.delete(stream));
    const pieces: Buffer[] = [];
    stream.on('data', (piece: Buffer) => pieces.push(piece));
    stream.on('end', () => {
      const token = fieldsOf(Buffer.concat(pieces).subarray(5)).get(99) ?? null;
      this.tokens.push(token);
      const refusal = this.refusals.shift();
      if (refusal !== undefined) {
        stream.respond({ ...HEADERS, 'grpc-status': String(refusal) }, { endStream: true });
        return;
      }
      stream.respond(HEADERS, { waitForTrailers: true });
      this.streams.set(stream, Number(token ?? 0));
      this.push(stream, true);
    });
  }

  /** Sends what a stream has not had. */
  private push(stream: ServerHttp2Stream, evenNothing = false): void {
    const from = this.streams.get(stream) ?? 0;
    if (from >= this.items.length && !evenNothing) return;
    this.streams.set(stream, this.items.length);
    stream.write(framed(Buffer.concat([field(100_602, String(this.items.length)), ...this.items.slice(from)])));
  }
}

const HEADERS = { ':status': 200, 'content-type': 'application/grpc', server: 'loopback stand-in for tests' } as const;

function finish(stream: ServerHttp2Stream, status: number): void {
  stream.once('wantTrailers', () => stream.sendTrailers({ 'grpc-status': String(status) }));
  stream.end();
}

/** The frame of gRPC: not compressed, the length, the message. */
function framed(message: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** One field of a protocol buffer: a text, a number, or a message of fields. */
export function field(number: number, value: string | number | readonly Buffer[]): Buffer {
  if (typeof value === 'number') return Buffer.concat([varint(number * 8), varint(value)]);
  const bytes = typeof value === 'string' ? Buffer.from(value) : Buffer.concat(value);
  return Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  return Buffer.from([...bytes, rest]);
}

/** The texts of a message by their numbers. */
function fieldsOf(message: Buffer): Map<number, string> {
  const texts = new Map<number, string>();
  let at = 0;
  const next = (): number => {
    let [value, scale] = [0, 1];
    for (;;) {
      const byte = message[at] ?? 0;
      at += 1;
      value += (byte & 0x7f) * scale;
      scale *= 0x80;
      if (byte < 0x80) return value;
    }
  };
  while (at < message.length) {
    const tag = next();
    const length = next();
    texts.set(Math.floor(tag / 8), message.subarray(at, at + length).toString());
    at += length;
  }
  return texts;
}
