import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { CanaryRoom } from './canary-room.js';
import { CLIP, type PlantedClip } from './planted-clip.js';

const ADDRESS = '127.0.0.1';
/** Segments that are there when a player comes, as a live stream has them. */
const HEAD_START = 3;
const [MOST_CONNECTIONS, LONGEST_FRAME] = [16, 4_096];

/**
 * The source of one canary run, on a loopback port of its own: a live HLS stream and a chat, under a path that nobody
 * else knows. The stream goes on air when its player takes the first segment, so that a slow start costs no latency.
 */
export class CanaryOrigin {
  readonly room: CanaryRoom;
  private readonly secret = randomBytes(16).toString('hex');
  private readonly server: Server;
  private readonly sockets = new WebSocketServer({
    noServer: true,
    maxPayload: LONGEST_FRAME,
    perMessageDeflate: false,
  });
  /** Wall time of the clip's beginning, epoch ms. */
  private beganAt: number | null = null;

  private constructor(
    private readonly clip: PlantedClip,
    private readonly now: () => number,
  ) {
    this.room = new CanaryRoom(now);
    this.server = createServer((request, response) => this.serve(request, response));
    this.server.maxConnections = MOST_CONNECTIONS;
    this.server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      if (request.url !== `/${this.secret}/chat`) return void socket.destroy();
      this.sockets.handleUpgrade(request, socket, head, (client) => this.room.welcome(client));
    });
  }

  static async start(clip: PlantedClip, now: () => number): Promise<CanaryOrigin> {
    const origin = new CanaryOrigin(clip, now);
    await new Promise<void>((resolve, reject) => {
      origin.server.once('error', reject).listen(0, ADDRESS, resolve);
    });
    return origin;
  }

  /** The one place that the run's lanes may go to. */
  get place(): { address: string; port: number } {
    return { address: ADDRESS, port: (this.server.address() as AddressInfo).port };
  }

  get streamUrl(): string {
    return `http://${ADDRESS}:${this.place.port}/${this.secret}/live.m3u8`;
  }

  get chatUrl(): string {
    return `ws://${ADDRESS}:${this.place.port}/${this.secret}/chat`;
  }

  /** When a moment of the clip was on air, epoch ms; null while nothing is. @param clipMs from its beginning */
  airedAt(clipMs: number): number | null {
    return this.beganAt === null ? null : this.beganAt + clipMs;
  }

  async stop(): Promise<void> {
    for (const client of this.sockets.clients) client.terminate();
    this.sockets.close();
    this.server.closeAllConnections();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  private serve(request: IncomingMessage, response: ServerResponse): void {
    const [, secret, name = ''] = (request.url ?? '').split('/');
    const segment = secret === this.secret ? /^(\d{1,3})\.ts$/.exec(name)?.[1] : undefined;
    if (secret === this.secret && name === 'live.m3u8') {
      response.writeHead(200, { 'content-type': 'application/vnd.apple.mpegurl', 'cache-control': 'no-store' });
      response.end(this.playlist());
    } else if (segment !== undefined && Number(segment) < this.published) {
      this.beganAt ??= this.now() - HEAD_START * CLIP.segmentMs;
      response.writeHead(200, { 'content-type': 'video/mp2t' }).end(this.clip.segments[Number(segment)]);
    } else response.writeHead(404).end();
  }

  /** Segments that have been on air to their end. */
  private get published(): number {
    const seconds = this.beganAt === null ? HEAD_START : Math.floor((this.now() - this.beganAt) / CLIP.segmentMs);
    return Math.min(seconds, this.clip.segments.length);
  }

  private playlist(): string {
    const seconds = (CLIP.segmentMs / 1_000).toFixed(3);
    const names = Array.from({ length: this.published }, (_, index) => `#EXTINF:${seconds},\n${index}.ts`);
    const head = ['#EXTM3U', '#EXT-X-VERSION:3', `#EXT-X-TARGETDURATION:${CLIP.segmentMs / 1_000}`];
    return `${[...head, '#EXT-X-MEDIA-SEQUENCE:0', ...names].join('\n')}\n`;
  }
}
