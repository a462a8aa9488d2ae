import { spawn } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { HlsOrigin } from '#libs/testing/hls-origin.js';
import { CaptureError } from './capture-error.js';
import { Capture, type CaptureOptions } from './capture.js';
import { ClipDirectory, filePlayback, TEST_FORMAT } from './clips.fixture.js';
import { findFfmpeg } from './ffmpeg-binary.js';
import { toSourceBox, type CapturedFrame, type FrameFormat } from './frame.js';

describe('Capture', () => {
  let ffmpegPath: string;
  let clips: ClipDirectory;

  beforeAll(async () => {
    ffmpegPath = await findFfmpeg();
    clips = await ClipDirectory.make(ffmpegPath);
  });
  afterAll(() => clips.remove());

  function capture(path: string, more: Partial<CaptureOptions> = {}): Capture {
    return new Capture({
      ...{ ffmpegPath, playback: filePlayback(path), format: TEST_FORMAT, sampleIntervalMs: 100 },
      ...{ decode: 'keyframes', proxyUrl: null, killGraceMs: 500 },
      ...more,
    });
  }

  async function framesOf(source: Capture, signal = new AbortController().signal): Promise<CapturedFrame[]> {
    const frames: CapturedFrame[] = [];
    for await (const frame of source.frames(signal)) frames.push(frame);
    return frames;
  }

  /** Alive and not merely waiting for its parent to look. */
  async function alive(pid: number): Promise<boolean> {
    try {
      process.kill(pid, 0);
    } catch {
      return false;
    }
    const status = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
    return !/\) Z /.test(status);
  }

  async function gone(pid: number): Promise<boolean> {
    for (let round = 0; round < 200 && (await alive(pid)); round += 1) await pause(50);
    return !(await alive(pid));
  }

  describe.each<[FrameFormat['fit'], string]>([
    ['letterbox-top-left', '640x360'],
    ['letterbox-center', '640x360'],
    ['letterbox-center', '270x480'],
    ['letterbox-center', '854x480'],
    ['stretch', '854x480'],
  ])('%s of %s', (fit, size) => {
    it('puts a rectangle where toSourceBox finds it again', async () => {
      const box = [60, 90, 210, 270] as const;
      const draw = `drawbox=x=${box[0]}:y=${box[1]}:w=${box[2] - box[0]}:h=${box[3] - box[1]}:color=white:t=fill`;
      const path = await clips.clip(`${fit}-${size}.mp4`, `color=black:s=${size}:r=5:d=0.4,${draw}`, 1);
      const format: FrameFormat = { ...TEST_FORMAT, fit };
      const [frame] = await framesOf(capture(path, { format }));
      if (frame === undefined) throw new Error('no frame');
      expect(`${frame.source.width}x${frame.source.height}`).toBe(size);
      const found = toSourceBox(brightBox(frame.pixels, format), format, frame.source);
      found.forEach((edge, index) => expect(Math.abs(edge - (box[index] ?? 0))).toBeLessThanOrEqual(2.5));
      const plane = format.width * format.height;
      const corner = [1, 2, 3].map((planes) => frame.pixels[planes * plane - 1]);
      if (fit !== 'stretch') expect(corner).toEqual([114, 114, 114]);
      const picture = await sharp(frame.jpeg).metadata();
      expect(`${picture.width}x${picture.height}`).toBe(size);
    });
  });

  it('delivers the planes green, blue, red', async () => {
    const path = await clips.clip('red.mp4', 'color=red:s=416x416:r=5:d=0.2', 1);
    const [frame] = await framesOf(capture(path));
    const plane = TEST_FORMAT.width * TEST_FORMAT.height;
    expect(frame?.pixels[0]).toBeLessThan(60);
    expect(frame?.pixels[plane]).toBeLessThan(60);
    expect(frame?.pixels[2 * plane]).toBeGreaterThan(200);
  });

  it('loses and mixes no frame of a file, however slowly it is read', async () => {
    const path = await clips.clip('steps.mp4', "nullsrc=s=64x64:r=10:d=4,geq=lum='20+N*5':cb=128:cr=128", 1);
    const levels: { model: number; picture: number; ptsMs: number }[] = [];
    for await (const frame of capture(path).frames(new AbortController().signal)) {
      const { channels } = await sharp(frame.jpeg).stats();
      if (frame.index % 10 === 0) await pause(50);
      levels.push({ model: frame.pixels[0] ?? 0, picture: channels[0]?.mean ?? 0, ptsMs: frame.ptsMs });
    }
    expect(levels.map(({ ptsMs }) => ptsMs)).toEqual(Array.from({ length: 40 }, (_, index) => index * 100));
    for (const { model, picture } of levels) expect(Math.abs(model - picture)).toBeLessThan(4);
    expect(new Set(levels.map(({ model }) => model)).size).toBeGreaterThan(35);
  });

  it('keeps frames, pictures and times together when the resolution changes and time steps back', async () => {
    const paths = [
      await clips.clip('wide.ts', 'color=red:s=640x360:r=10:d=2', 5),
      await clips.clip('tall.ts', 'color=blue:s=360x480:r=10:d=2', 5),
      await clips.clip('wide-again.ts', 'color=red:s=640x360:r=10:d=2', 5),
    ];
    const spliced = join(clips.path, 'spliced.ts');
    await writeFile(spliced, Buffer.concat(await Promise.all(paths.map((path) => readFile(path)))));
    const frames = await framesOf(capture(spliced));
    const seen = await Promise.all(
      frames.map(async ({ source, pixels, jpeg }) => {
        const { dominant } = await sharp(jpeg).stats();
        return [
          `${source.width}x${source.height}`,
          (pixels[2 * TEST_FORMAT.width * TEST_FORMAT.height] ?? 0) > 128 ? 'red' : 'blue',
          dominant.r > 128 ? 'red' : 'blue',
        ];
      }),
    );
    const wide = Array.from({ length: 4 }, () => ['640x360', 'red', 'red']);
    expect(seen).toEqual([...wide, ...Array.from({ length: 4 }, () => ['360x480', 'blue', 'blue']), ...wide]);
    expect(frames[4]?.ptsMs).toBe(frames[0]?.ptsMs);
  });

  it('tells the source time of a transport stream as it is', async () => {
    const path = await clips.clip(
      'late.ts',
      'color=red:s=64x64:r=10:d=1',
      10,
      '-output_ts_offset',
      '90',
      '-muxdelay',
      '0',
    );
    const [frame] = await framesOf(capture(path));
    expect(frame?.ptsMs).toBe(90_000);
  });

  it('thins to the sample interval, and decodes between keyframes when asked', async () => {
    const path = await clips.clip('long-gop.mp4', 'testsrc2=s=64x64:r=10:d=11', 110);
    const sparse = await framesOf(capture(path));
    expect(sparse.map(({ ptsMs }) => ptsMs)).toEqual([0]);
    const full = await framesOf(capture(path, { decode: 'full', sampleIntervalMs: 1_000 }));
    expect(full.map(({ ptsMs }) => ptsMs)).toEqual(Array.from({ length: 11 }, (_, index) => index * 1_000));
  });

  it('says when keyframes are too far apart', async () => {
    const path = await clips.clip('sparse.mp4', 'testsrc2=s=64x64:r=10:d=11', 50);
    const source = capture(path, { sampleIntervalMs: 1_000 });
    await framesOf(source);
    expect(source.stats).toMatchObject({ keyframeIntervalMs: 5_000, sparseKeyframes: true, frames: 3 });
  });

  it('refuses pictures beyond the limit', async () => {
    const path = await clips.clip('large.mp4', 'color=red:s=640x360:r=5:d=1', 1);
    await expect(framesOf(capture(path, { maxPixels: 10_000 }))).rejects.toBeInstanceOf(CaptureError);
  });

  it('ends ffmpeg when it takes too much memory', async () => {
    if ((await readdir('/proc/self').catch(() => [])).length === 0) return;
    const path = await clips.clip('endless.mp4', 'testsrc2=s=320x180:r=10:d=60', 1);
    const frames = capture(path, { maxMemoryBytes: 1 }).frames(new AbortController().signal);
    const read = async (): Promise<void> => {
      for await (const frame of frames) await pause(frame.index === 0 ? 1_000 : 0);
    };
    await expect(read()).rejects.toMatchObject({ reason: 'budget_exceeded' });
  });

  it('says what is wrong with a file that is no video', async () => {
    const path = join(clips.path, 'text.mp4');
    await writeFile(path, 'no video here '.repeat(1_000));
    await expect(framesOf(capture(path))).rejects.toMatchObject({
      reason: 'not_a_stream',
      code: 'capture.not_a_stream',
    });
  });

  it('says that ffmpeg is missing', async () => {
    const path = await clips.clip('any.mp4', 'color=red:s=64x64:r=5:d=1', 1);
    await expect(framesOf(capture(path, { ffmpegPath: '/nowhere/ffmpeg' }))).rejects.toMatchObject({
      code: 'ffmpeg.missing',
    });
  });

  it('leaves no ffmpeg whether the reader breaks off, throws or aborts', async () => {
    const path = await clips.clip('minute.mp4', 'testsrc2=s=320x180:r=10:d=60', 1);
    const abort = new AbortController();
    const ends: Record<string, (frame: CapturedFrame) => 'break' | 'on'> = {
      break: () => 'break',
      throw: () => {
        throw new Error('reader failed');
      },
      abort: () => {
        abort.abort();
        return 'on';
      },
    };
    for (const end of Object.values(ends)) {
      const source = capture(path);
      const read = async (): Promise<void> => {
        for await (const frame of source.frames(abort.signal)) if (end(frame) === 'break') break;
      };
      await read().catch((error: Error) => expect(error.message).toBe('reader failed'));
      expect(await alive(source.stats.pid ?? 0)).toBe(false);
    }
  });

  it('leaves no descriptor open after fifty runs', async () => {
    const path = await clips.clip('again.mp4', 'testsrc2=s=64x64:r=10:d=30', 1);
    const once = async (): Promise<void> => {
      for await (const frame of capture(path).frames(new AbortController().signal)) if (frame.index === 1) break;
    };
    const open = async (): Promise<number> => (await readdir('/proc/self/fd').catch(() => [])).length;
    await once();
    const before = await open();
    for (let round = 0; round < 50; round += 1) await once();
    expect(await open()).toBeLessThanOrEqual(before + 1);
  }, 60_000);

  it('leaves no ffmpeg behind when this process is killed, whatever ffmpeg was waiting for', async () => {
    const origin = await HlsOrigin.start();
    const segments = await clips.segments('testsrc2=s=64x64:r=10:d=4', 1, 10);
    origin.live('/live', segments);
    origin.live('/frozen', segments, { until: 0 });
    origin.hang('/hang.m3u8');
    const child = fileURLToPath(new URL('./capture-child.fixture.js', import.meta.url));
    const runs: [string, number][] = [
      ['/live.m3u8', 2],
      ['/frozen.m3u8', 1],
      ['/hang.m3u8', 0],
    ];
    await Promise.all(
      runs.map(async ([path, frames]) => {
        const parent = spawn(process.execPath, [child, ffmpegPath, origin.host, path, String(frames)], {
          stdio: ['ignore', 'pipe', 'inherit'],
        });
        try {
          let pid = 0;
          for await (const line of createInterface({ input: parent.stdout })) {
            if (line.startsWith('pid ')) pid = Number(line.slice(4));
            if (frames === 0 || line === `frame ${frames - 1}`) break;
          }
          expect(await alive(pid)).toBe(true);
          parent.kill('SIGKILL');
          expect(await gone(pid)).toBe(true);
        } finally {
          parent.kill('SIGKILL');
        }
      }),
    );
    await origin.stop();
  }, 30_000);
});

/** Edges of what is bright in a frame, in its own pixels. */
function brightBox(pixels: Buffer, { width, height }: FrameFormat): [number, number, number, number] {
  let [left, top, right, bottom] = [width, height, 0, 0];
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      if ((pixels[y * width + x] ?? 0) < 180) continue;
      [left, top] = [Math.min(left, x), Math.min(top, y)];
      [right, bottom] = [Math.max(right, x + 1), Math.max(bottom, y + 1)];
    }
  }
  return [left, top, right, bottom];
}
