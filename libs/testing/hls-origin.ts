import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { readFile } from 'node:fs/promises';
import { createServer as createTcpServer, type AddressInfo, type Server as TcpServer } from 'node:net';
import { basename, join } from 'node:path';
import { gzipSync } from 'node:zlib';

/** Answers one request. */
export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** One prepared segment of a live stream. */
export interface PreparedSegment {
  body: Buffer;
  durationMs: number;
}

/** How a live playlist goes on. */
interface LiveOptions {
  now?: () => number;
  until?: number;
  sequence?: number;
}

const PLAYLIST_TYPE = 'application/vnd.apple.mpegurl';
const SEGMENT_TYPE = 'video/mp2t';
const WINDOW = 5;

/** An HTTP origin on loopback for tests: well-behaved live HLS beside every way in which an origin can be hostile. */
export class HlsOrigin {
  /** Paths as they were asked for, the newest last; the oldest are let go beyond ten thousand. */
  readonly requests: string[] = [];
  private readonly answers = new Map<string, Answer>();
  private readonly timers = new Set<NodeJS.Timeout>();

  private constructor(private readonly server: Server) {}

  /**
   * @param address of loopback: there are many on Linux, and one port may be free on all of them
   * @param port any free one when 0
   */
  static async start(address = '127.0.0.1', port = 0): Promise<HlsOrigin> {
    const server = createServer();
    const origin = new HlsOrigin(server);
    server.on('request', (request, response) => origin.answer(request, response));
    server.on('clientError', (_error, socket) => socket.destroy());
    await new Promise<void>((resolve) => server.listen(port, address, resolve));
    return origin;
  }

  /** `host:port`, as `EGRESS_ALLOW` wants it. */
  get host(): string {
    const { address, port } = this.server.address() as AddressInfo;
    return `${address}:${port}`;
  }

  url(path: string): string {
    return `http://${this.host}${path}`;
  }

  /** Answers a path in a way of the test's own. */
  on(path: string, answer: Answer): string {
    this.answers.set(path, answer);
    return this.url(path);
  }

  /** Answers with a status and a text. */
  text(path: string, body: string, type = PLAYLIST_TYPE, status = 200): string {
    return this.on(path, (_request, response) => response.writeHead(status, { 'content-type': type }).end(body));
  }

  /** Serves bytes as a media segment. */
  bytes(path: string, body: Buffer, type = SEGMENT_TYPE): string {
    return this.on(path, (_request, response) =>
      response.writeHead(200, { 'content-type': type, 'content-length': body.length }).end(body),
    );
  }

  redirect(path: string, location: string): string {
    return this.on(path, (_request, response) => response.writeHead(302, { location }).end());
  }

  /** Takes the request and never answers. */
  hang(path: string): string {
    return this.on(path, () => undefined);
  }

  /** Answers one byte a second, for ever. */
  drip(path: string, type = PLAYLIST_TYPE): string {
    return this.on(path, (_request, response) => {
      response.writeHead(200, { 'content-type': type });
      this.repeat(response, 1_000, () => response.write('#'));
    });
  }

  /** A master playlist whose only variant is itself: a player that follows it never comes to an end. */
  selfReferencing(path: string): string {
    return this.text(path, `#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1000000\n${path}\n`);
  }

  /** A media playlist whose only segment is itself. */
  selfSegment(path: string): string {
    return this.text(path, mediaPlaylist([{ uri: path, durationMs: 1_000 }], 0));
  }

  /** A playlist that goes on until the reader gives up. */
  endlessPlaylist(path: string): string {
    return this.on(path, (_request, response) => {
      response.writeHead(200, { 'content-type': PLAYLIST_TYPE });
      response.write('#EXTM3U\n#EXT-X-TARGETDURATION:1\n');
      const lines = '#EXTINF:1,\nsegment.ts\n'.repeat(2_000);
      const more = (): void => {
        while (!response.destroyed && response.write(lines));
      };
      response.on('drain', more);
      more();
    });
  }

  /** A playlist of `bytes` zeros that travels as a few kilobytes of gzip nobody asked for. */
  gzipBomb(path: string, bytes = 50 * 2 ** 20): string {
    const body = gzipSync(Buffer.alloc(bytes));
    return this.on(path, (_request, response) =>
      response.writeHead(200, { 'content-type': PLAYLIST_TYPE, 'content-encoding': 'gzip' }).end(body),
    );
  }

  /** Serves the files of a directory below a path, playlists included. */
  directory(path: string, directory: string): string {
    this.answers.set(`${path}/*`, (request, response) => {
      const name = basename(new URL(request.url ?? '/', 'http://x').pathname);
      readFile(join(directory, name)).then(
        (body) =>
          response.writeHead(200, { 'content-type': name.endsWith('.m3u8') ? PLAYLIST_TYPE : SEGMENT_TYPE }).end(body),
        () => response.writeHead(404).end(),
      );
    });
    return this.url(path);
  }

  /** Promises ten times what it sends, and cuts the connection. */
  truncated(path: string, body: Buffer): string {
    return this.on(path, (_request, response) => {
      response.writeHead(200, { 'content-type': SEGMENT_TYPE, 'content-length': body.length * 10 });
      response.write(body, () => response.destroy());
    });
  }

  /**
   * Replays segments over and over as a sliding live playlist that follows `now`. `until` (epoch ms) freezes it: it
   * still answers, but brings nothing new. `sequence` is the number of its first segment.
   */
  live(
    path: string,
    segments: readonly PreparedSegment[],
    { now = Date.now, until = Number.POSITIVE_INFINITY, sequence = 0 }: LiveOptions = {},
  ): string {
    const duration = segments[0]?.durationMs ?? 1_000;
    const startedAt = now();
    segments.forEach(({ body }, index) => this.bytes(`${path}.${index}.ts`, body));
    return this.on(`${path}.m3u8`, (_request, response) => {
      const newest = WINDOW + Math.floor(Math.max(0, Math.min(now(), until) - startedAt) / duration);
      const entries = Array.from({ length: WINDOW }, (_, offset) => {
        const index = (newest - WINDOW + offset) % segments.length;
        return { uri: `${path}.${index}.ts`, durationMs: duration, discontinuity: index === 0 };
      });
      response
        .writeHead(200, { 'content-type': PLAYLIST_TYPE })
        .end(mediaPlaylist(entries, sequence + newest - WINDOW));
    });
  }

  /** Ends every connection, as a server does that is started anew. */
  hangUp(): void {
    for (const timer of this.timers) clearInterval(timer);
    this.timers.clear();
    this.server.closeAllConnections();
  }

  /** Ends every connection and timer. */
  async stop(): Promise<void> {
    this.hangUp();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    response.on('error', () => undefined);
    const { pathname } = new URL(request.url ?? '/', 'http://x');
    this.requests.push(pathname);
    if (this.requests.length > 10_000) this.requests.shift();
    const found = this.answers.get(pathname) ?? this.answers.get(`${pathname.slice(0, pathname.lastIndexOf('/'))}/*`);
    if (found === undefined) response.writeHead(404).end();
    else found(request, response);
  }

  private repeat(response: ServerResponse, intervalMs: number, action: () => void): void {
    action();
    const timer = setInterval(action, intervalMs);
    this.timers.add(timer);
    response.once('close', () => {
      clearInterval(timer);
      this.timers.delete(timer);
    });
  }
}

/** One entry of a media playlist. */
export interface PlaylistEntry {
  uri: string;
  durationMs: number;
  discontinuity?: boolean;
}

/** Text of an HLS media playlist (RFC 8216); live unless `ended`. `head` takes further tags, such as a key or a map. */
export function mediaPlaylist(entries: readonly PlaylistEntry[], sequence: number, head = '', ended = false): string {
  const target = Math.ceil(Math.max(1_000, ...entries.map(({ durationMs }) => durationMs)) / 1_000);
  const lines = entries.flatMap(({ uri, durationMs, discontinuity }) => [
    ...(discontinuity === true ? ['#EXT-X-DISCONTINUITY'] : []),
    `#EXTINF:${(durationMs / 1_000).toFixed(3)},`,
    uri,
  ]);
  const tags = ['#EXTM3U', '#EXT-X-VERSION:7', `#EXT-X-TARGETDURATION:${target}`, `#EXT-X-MEDIA-SEQUENCE:${sequence}`];
  return [...tags, ...(head === '' ? [] : [head]), ...lines, ...(ended ? ['#EXT-X-ENDLIST'] : []), ''].join('\n');
}

/** Text of an HLS master playlist with a variant `/<lines>p.m3u8` for each number of lines, in that order. */
export function masterPlaylist(lineCounts: readonly number[]): string {
  const variants = lineCounts.map(
    (lines) =>
      `#EXT-X-STREAM-INF:BANDWIDTH=${lines * 4_000},RESOLUTION=${Math.round((lines * 16) / 9)}x${lines},CODECS="avc1.4D401F,mp4a.40.2"\n/${lines}p.m3u8\n`,
  );
  return `#EXTM3U\n${variants.join('')}`;
}

/** A listener that nothing may ever reach: it stands for a private service. */
export class Canary {
  /** Connections that were made to it. Must stay 0. */
  connections = 0;

  private constructor(private readonly server: TcpServer) {}

  /** @param port any free one when 0 */
  static async start(port = 0): Promise<Canary> {
    const server = createTcpServer();
    const canary = new Canary(server);
    server.on('connection', (socket) => {
      canary.connections += 1;
      socket.destroy();
    });
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    return canary;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }
}
