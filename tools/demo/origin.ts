import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { AppError } from '#libs/errors/app-error.js';
import { childEnvironment } from '#libs/config/environment.js';
import { ManagedProcess } from '../services/process.js';
import { CLIP } from './loop-clip.js';
import type { Pages } from './pages.js';

/** First presentation time that ffmpeg's MPEG-TS muxer writes, measured on 5.1: its default preload and delay. */
const FIRST_PTS_MS = 1_400;
/** MPEG-TS counts presentation time with 33 bits at 90 kHz and then begins anew: after 26.5 hours. */
const PTS_WRAP_MS = 2 ** 33 / 90;

/** A live HLS stream on loopback. */
export interface Origin {
  /** Address of the playlist. */
  url: string;
  /** `host:port` to allow in the egress rules. */
  address: string;
  /** What writes the stream; goes first when the stream is to break. */
  encoder: ManagedProcess;
  /** When the stream's first frame was on air, epoch ms. */
  startedAt: number;
  /** When a frame was on air, epoch ms, by its presentation time in the source's clock. */
  onAirAt(ptsMs: number, now: number): number;
  stop(): Promise<void>;
}

/** How the origin is started. */
interface OriginOptions {
  ffmpeg: string;
  /** The clip to repeat, see {@link makeLoopClip}. */
  clip: string;
  /** Directory for the segments; emptied. */
  directory: string;
  logFile: string;
  /** Taken when it is free, else another one. */
  preferredPort: number;
  pages?: Pages;
}

/**
 * Plays a clip in real time, over and over, as a live HLS stream of 2 s segments that are deleted as they age, and
 * serves it on loopback. Nothing is encoded while it runs.
 */
export async function startOrigin(options: OriginOptions): Promise<Origin> {
  const { directory, pages } = options;
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  const server = createServer((request, response) => void serve(directory, pages, request, response));
  const port = await listen(server, options.preferredPort);
  const playlist = join(directory, 'live.m3u8');
  const encoder = new ManagedProcess({
    name: 'origin',
    command: options.ffmpeg,
    args: encoderArguments(options.clip, directory, playlist),
    env: childEnvironment(),
    logFile: options.logFile,
    ready: { check: async () => existsSync(playlist) && /^segment\d+\.ts$/m.test(await readFile(playlist, 'utf8')) },
    readyTimeoutMs: 30_000,
    graceMs: 3_000,
  });
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  try {
    await encoder.start();
  } catch (error) {
    await close();
    throw error;
  }
  const airStart = startOfAir(readFileSync(playlist, 'utf8'));
  return {
    url: `http://127.0.0.1:${port}/live/live.m3u8`,
    address: `127.0.0.1:${port}`,
    encoder,
    startedAt: airStart,
    onAirAt: (ptsMs, now) => onAirAt(airStart, ptsMs, now),
    stop: async () => {
      await encoder.stop();
      await close();
    },
  };
}

/**
 * When a frame was on air: the start of the stream plus its presentation time, in the last round of the 33-bit clock
 * that is not in the future.
 */
export function onAirAt(airStart: number, ptsMs: number, now: number): number {
  const first = airStart + ptsMs - FIRST_PTS_MS;
  return first + Math.max(0, Math.floor((now - first) / PTS_WRAP_MS)) * PTS_WRAP_MS;
}

/**
 * When the first frame of the stream was on air, epoch ms, from the first playlist: ffmpeg stamps the wall clock at its
 * start on the first segment and counts on from there by durations.
 */
export function startOfAir(playlist: string): number {
  const first = /#EXT-X-PROGRAM-DATE-TIME:(\S+)\s+segment0\.ts/.exec(playlist);
  // ffmpeg writes the offset without a colon, which Date.parse does not take for granted.
  const at = Date.parse(first?.[1]?.replace(/([+-]\d\d)(\d\d)$/, '$1:$2') ?? '');
  if (Number.isNaN(at)) throw new AppError('demo.no_clock', 'operational', 'The live stream carries no time of day.');
  return at;
}

function encoderArguments(clip: string, directory: string, playlist: string): string[] {
  return [
    ...['-hide_banner', '-loglevel', 'warning', '-nostdin'],
    ...['-re', '-stream_loop', '-1', '-i', clip, '-map', '0:v', '-map', '0:a?', '-c', 'copy'],
    ...['-f', 'hls', '-hls_time', String(CLIP.gopSeconds), '-hls_list_size', '6', '-hls_delete_threshold', '3'],
    ...['-hls_flags', 'delete_segments+program_date_time+independent_segments+temp_file'],
    ...['-hls_segment_filename', join(directory, 'segment%d.ts'), playlist],
  ];
}

async function serve(
  directory: string,
  pages: Pages | undefined,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = (request.url ?? '/').split('?')[0] ?? '/';
  response.setHeader('cache-control', 'no-store');
  if (request.method !== 'GET' && request.method !== 'HEAD') return void response.writeHead(405).end();
  // Only names of this exact form exist, so no path can lead out of the directory.
  const name = /^\/live\/(live\.m3u8|segment\d{1,12}\.ts)$/.exec(path)?.[1];
  if (name === undefined) {
    if (pages?.(path, response) !== true) response.writeHead(404).end();
    return;
  }
  try {
    const body = await readFile(join(directory, name));
    const type = name.endsWith('.ts') ? 'video/mp2t' : 'application/vnd.apple.mpegurl';
    response.writeHead(200, { 'content-type': type, 'content-length': body.length });
    response.end(request.method === 'HEAD' ? undefined : body);
  } catch {
    response.writeHead(404).end();
  }
}

async function listen(server: Server, preferredPort: number): Promise<number> {
  for (const port of [preferredPort, 0]) {
    try {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject).listen(port, '127.0.0.1', () => {
          server.off('error', reject);
          resolve();
        });
      });
      break;
    } catch (error) {
      server.removeAllListeners('error');
      if (port === 0) throw error;
    }
  }
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the system gave no port');
  return address.port;
}
