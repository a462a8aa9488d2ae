import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Canary, HlsOrigin, mediaPlaylist, type PreparedSegment } from '#libs/testing/hls-origin.js';
import { ClipDirectory } from '../../apps/monitor/src/capture/clips.fixture.js';
import { findFfmpeg } from '../../apps/monitor/src/capture/ffmpeg-binary.js';

/** A stream that is bad in one way, on an origin of its own, for those of one origin wait for each other. */
export interface BadStream {
  title: string;
  url: string;
  /** What it may be said to be; none when it has to be watched all the same. */
  reasons: readonly string[];
  /** Makes it bad where it is good at first; null when it is bad from the start. */
  spoil: (() => void) | null;
  /** Makes its origin well, and ends what hangs there; null when turning is all that it does, or nothing can heal it. */
  heal: (() => void) | null;
}

/** A clip in pieces of a second, by what is in it. */
interface Pieces {
  good: PreparedSegment[];
  /** Another size. */
  large: PreparedSegment[];
  /** Another codec. */
  other: PreparedSegment[];
  /** One picture of 16,000 x 16,000. */
  huge: PreparedSegment;
}

const PATH = '/live';
/** Number of the first segment of a stream that turns: far from 0, where another one begins anew. */
const FIRST = 5_000;
const NO_STREAM = ['not_a_stream', 'stalled', 'unreachable', 'capture_failed'];

/** Origins that are hostile or broken, each in its way, and one that neighbours play from. */
export class BadOrigins {
  private readonly origins: HlsOrigin[] = [];
  readonly streams: BadStream[] = [];

  private constructor(
    private readonly clips: ClipDirectory,
    /** Stands for a private service: nothing may connect to it. */
    readonly canary: Canary,
    private readonly pieces: Pieces,
  ) {}

  static async open(): Promise<BadOrigins> {
    const clips = await ClipDirectory.make(await findFfmpeg());
    const huge = join(clips.path, 'huge.ts');
    const [good, large, other] = await Promise.all([
      clips.segments('testsrc2=s=320x180:r=10:d=4', 1, 10),
      clips.segments('testsrc2=s=480x270:r=10:d=4', 1, 10),
      mpeg2(clips),
      clips.ffmpeg(
        ...['-f', 'lavfi', '-i', 'color=c=gray:s=16000x16000:r=25:d=1', '-frames:v', '1', '-threads', '1'],
        ...['-c:v', 'mpeg2video', '-strict', '-2', '-pix_fmt', 'yuv420p', huge],
      ),
    ]);
    const pieces = { good, large, other, huge: { body: await readFile(huge), durationMs: 1_000 } };
    const all = new BadOrigins(clips, await Canary.start(), pieces);
    for (const make of WAYS) all.streams.push(make(await all.origin(), all.pieces, all.canary.port));
    return all;
  }

  /** `host:port` of every origin. */
  get hosts(): string[] {
    return this.origins.map(({ host }) => host);
  }

  /** Requests that came to all of them, the good one's included. */
  get requests(): number {
    return this.origins.reduce((sum, { requests }) => sum + requests.length, 0);
  }

  /** An origin that plays well. @returns its address */
  async neighbour(): Promise<string> {
    return (await this.origin()).live(PATH, this.pieces.good);
  }

  async close(): Promise<void> {
    await Promise.all([...this.origins.map((origin) => origin.stop()), this.canary.stop(), this.clips.remove()]);
  }

  private async origin(): Promise<HlsOrigin> {
    const origin = await HlsOrigin.start();
    this.origins.push(origin);
    return origin;
  }
}

async function mpeg2(clips: ClipDirectory): Promise<PreparedSegment[]> {
  const names = [0, 1, 2, 3].map((index) => join(clips.path, `mpeg2-${index}.ts`));
  for (const [index, name] of names.entries()) {
    const source = `testsrc2=s=320x180:r=25:d=1`;
    const time = ['-output_ts_offset', String(index)];
    await clips.ffmpeg('-f', 'lavfi', '-i', source, '-c:v', 'mpeg2video', '-g', '10', ...time, name);
  }
  return Promise.all(names.map(async (name) => ({ body: await readFile(name), durationMs: 1_000 })));
}

type Way = (origin: HlsOrigin, pieces: Pieces, canaryPort: number) => BadStream;

/** Bad from the start: what the paths of an origin answer. The stream is at `/live.m3u8`. */
const bad =
  (
    title: string,
    reasons: readonly string[],
    set: (origin: HlsOrigin, pieces: Pieces, forbidden: string) => void,
  ): Way =>
  (origin, pieces, canaryPort) => {
    set(origin, pieces, `http://127.0.0.1:${canaryPort}`);
    return { title, url: origin.url(`${PATH}.m3u8`), reasons, spoil: null, heal: () => mend(origin, pieces, 0) };
  };

/** Good at first, then bad. `spoil` is told the number of the segment that is next. */
const spoilt =
  (title: string, reasons: readonly string[], spoil: (origin: HlsOrigin, pieces: Pieces, next: number) => void): Way =>
  (origin, pieces) => {
    const url = origin.live(PATH, pieces.good, { sequence: FIRST });
    const from = Date.now();
    const next = (): number => FIRST + Math.floor((Date.now() - from) / 1_000);
    const heal = (): void => mend(origin, pieces, next());
    return { title, url, reasons, spoil: () => spoil(origin, pieces, next()), heal };
  };

/** Good at first, then otherwise, and well all the same. */
const turned =
  (title: string, turn: (origin: HlsOrigin, pieces: Pieces, next: number) => void): Way =>
  (...where) => ({ ...spoilt(title, [], turn)(...where), heal: null });

function mend(origin: HlsOrigin, { good }: Pieces, sequence: number): void {
  origin.live(PATH, good, { sequence });
  origin.hangUp();
}

const main = `${PATH}.m3u8`;
const text = (origin: HlsOrigin, body: string): string => origin.text(main, body);
const entry = (uri: string, head = ''): string => mediaPlaylist([{ uri, durationMs: 1_000 }], 0, head, true);
const child = (uri: string): string => `#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1000\n${uri}\n`;
const answer =
  (status: number) =>
  (origin: HlsOrigin): void =>
    void origin.text(main, 'no', 'text/plain', status);
/** A live playlist of one segment over and over, as if it were always a new one. */
const liveOf = (origin: HlsOrigin, body: Buffer): string => origin.live(PATH, [{ body, durationMs: 1_000 }]);
/** Has the segments of a live playlist answered in a way of their own. */
const segments = ({ good }: Pieces, answered: (path: string, body: Buffer) => void): void =>
  good.forEach(({ body }, index) => answered(`${PATH}.${index}.ts`, body));

const refused = ['refused_address'];
const WAYS: readonly Way[] = [
  bad('404', ['not_found'], answer(404)),
  bad('410', ['not_found'], answer(410)),
  bad('403', ['forbidden'], answer(403)),
  bad('503', ['unreachable'], answer(503)),
  bad('a page', ['not_a_stream'], (origin) => origin.text(main, '<html><title>hello</title></html>', 'text/html')),
  bad('a redirect loop', ['unreachable'], (origin) => origin.redirect(main, main)),
  bad('no answer', NO_STREAM, (origin) => origin.hang(main)),
  bad('a playlist at 1 B/s', NO_STREAM, (origin) => origin.drip(main)),
  bad('an endless playlist', ['budget_exceeded', ...NO_STREAM], (origin) => origin.endlessPlaylist(main)),
  bad('a playlist that names itself', ['budget_exceeded', ...NO_STREAM], (origin) => origin.selfReferencing(main)),
  bad('a playlist that is its own segment', ['budget_exceeded', ...NO_STREAM], (origin) => origin.selfSegment(main)),
  bad('a gzip bomb', ['not_a_stream'], (origin) => origin.gzipBomb(main)),
  bad('a frame of 16k²', ['budget_exceeded', ...NO_STREAM], (origin, { huge }) => liveOf(origin, huge.body)),
  bad('corrupt TS', NO_STREAM, (origin) => liveOf(origin, randomBytes(188 * 500))),
  bad('empty TS packets', NO_STREAM, (origin) => liveOf(origin, Buffer.alloc(188 * 500, 0x47))),
  bad('segments cut off at once', NO_STREAM, (origin, pieces) => {
    origin.live(PATH, pieces.good);
    segments(pieces, (path, body) => origin.truncated(path, body.subarray(0, 188)));
  }),
  bad('segments that are missing', ['not_found', ...NO_STREAM], (origin) => text(origin, entry('/nothing.ts'))),
  bad('a redirect to a private address', refused, (origin, _, forbidden) => origin.redirect(main, `${forbidden}/x`)),
  bad('a private segment', refused, (origin, _, forbidden) => text(origin, entry(`${forbidden}/a.ts`))),
  bad('a private child playlist', refused, (origin, _, forbidden) => text(origin, child(`${forbidden}/c.m3u8`))),
  bad('a private key', refused, (origin, { good: [first] }, forbidden) => {
    origin.bytes('/whole.ts', first?.body ?? Buffer.alloc(0));
    text(origin, entry('/whole.ts', `#EXT-X-KEY:METHOD=AES-128,URI="${forbidden}/key"`));
  }),
  bad('a private map', refused, (origin, { good: [first] }, forbidden) => {
    origin.bytes('/whole.ts', first?.body ?? Buffer.alloc(0));
    text(origin, entry('/whole.ts', `#EXT-X-MAP:URI="${forbidden}/m.mp4"`));
  }),
  bad('a file as segment', [...refused, 'not_a_stream'], (origin) => text(origin, entry('file:///etc/passwd'))),
  spoilt('a stall', ['stalled'], (origin, { good }, sequence) =>
    origin.live(PATH, good, { until: Date.now(), sequence }),
  ),
  spoilt('segments at 1 B/s', ['stalled'], (origin, pieces) =>
    segments(pieces, (path) => origin.drip(path, 'video/mp2t')),
  ),
  spoilt('an end', ['ended', 'stalled'], (origin) => text(origin, entry('/live.0.ts'))),
  spoilt('truncation', NO_STREAM, (origin, pieces) =>
    segments(pieces, (path, body) => origin.truncated(path, body.subarray(0, 2 * 188))),
  ),
  turned('half of each segment missing', (origin, pieces) =>
    segments(pieces, (path, body) => origin.truncated(path, body.subarray(0, body.length / 2))),
  ),
  turned('another size', (origin, { large }, sequence) => origin.live(PATH, large, { sequence })),
  turned('another codec', (origin, { other }, sequence) => origin.live(PATH, other, { sequence })),
  turned('time that jumps', (origin, { good }, sequence) =>
    origin.live(
      PATH,
      [2, 0].flatMap((index) => good[index] ?? []),
      { sequence },
    ),
  ),
  turned('a sequence that begins anew', (origin, { good }) => origin.live(PATH, good, { sequence: 0 })),
];
