import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Capture } from './capture.js';
import { ClipDirectory, filePlayback, TEST_FORMAT } from './clips.fixture.js';
import { findFfmpeg } from './ffmpeg-binary.js';
import type { SoundChunk } from './sound-chunks.js';

let ffmpegPath: string;
let clips: ClipDirectory;
beforeAll(async () => {
  ffmpegPath = await findFfmpeg();
  clips = await ClipDirectory.make(ffmpegPath);
});
afterAll(() => clips.remove());

/** A clip with a tone of 440 Hz. Gives its path. */
async function withTone(name: string, seconds: number, ...options: string[]): Promise<string> {
  const path = join(clips.path, name);
  await clips.ffmpeg(
    ...['-f', 'lavfi', '-i', `testsrc2=s=64x64:r=10:d=${seconds}`, '-f', 'lavfi', '-i', `sine=f=440:d=${seconds}`],
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-g', '10', '-sc_threshold', '0'],
    ...['-c:a', 'aac', ...options, path],
  );
  return path;
}

/** Reads a file to its end, pictures and sound side by side. */
async function read(path: string): Promise<{ frames: number; pts: number[]; chunks: SoundChunk[] }> {
  const capture = new Capture({
    ...{ ffmpegPath, playback: filePlayback(path), format: TEST_FORMAT, sound: true },
    ...{ sampleIntervalMs: 1_000, decode: 'keyframes', proxyUrl: null, stallMs: 20_000 },
  });
  const chunks: SoundChunk[] = [];
  const listening = (async () => {
    for await (const chunk of capture.pcm()) chunks.push(chunk);
  })();
  const pts: number[] = [];
  for await (const frame of capture.frames(new AbortController().signal)) pts.push(frame.ptsMs);
  await listening;
  return { frames: pts.length, pts, chunks };
}
const secondsOf = (chunks: readonly SoundChunk[]): number =>
  chunks.reduce((sum, { bytes }) => sum + bytes.length, 0) / 32_000;

describe('Capture with sound', () => {
  it('delivers 16 kHz mono beside the same pictures, each chunk with its time in the same clock', async () => {
    const { frames, chunks } = await read(await withTone('tone.mp4', 5));
    expect(frames).toBe(5);
    expect(secondsOf(chunks)).toBeGreaterThan(4.9);
    expect(secondsOf(chunks)).toBeLessThan(5.1);
    expect(Math.abs(chunks[0]?.ptsMs ?? Infinity)).toBeLessThan(50);
    expect((chunks[20]?.ptsMs ?? 0) - (chunks[10]?.ptsMs ?? 0)).toBe(1_000);
    // 440 Hz crosses zero 880 times a second.
    const { bytes = Buffer.alloc(0) } = chunks[20] ?? {};
    const signs = Array.from({ length: bytes.length / 2 }, (_, index) => bytes.readInt16LE(index * 2) >= 0);
    expect(signs.filter((sign, index) => index > 0 && sign !== signs[index - 1]).length).toBeGreaterThan(84);
    expect(signs.filter((sign, index) => index > 0 && sign !== signs[index - 1]).length).toBeLessThan(92);
  });

  it('delivers pictures and no sound of a source without any', async () => {
    const { frames, chunks } = await read(await clips.clip('mute.mp4', 'testsrc2=s=64x64:r=10:d=3', 10));
    expect(frames).toBe(3);
    expect(chunks).toEqual([]);
  });

  it('goes on where the source starts its clock anew', async () => {
    const late = await withTone('late.ts', 3, '-output_ts_offset', '500');
    const early = await withTone('early.ts', 3);
    const spliced = join(clips.path, 'spliced.ts');
    await writeFile(spliced, Buffer.concat([await readFile(late), await readFile(early)]));
    const { frames, chunks, pts } = await read(spliced);
    expect(frames).toBe(6);
    expect(secondsOf(chunks)).toBeGreaterThan(5.5);
    const last = chunks.at(-1)?.ptsMs ?? Infinity;
    expect(Math.abs(last - (pts.at(-1) ?? 0))).toBeLessThan(2_000);
  });

  it('does not hold the pictures back when nobody takes the sound, and says how much was lost', async () => {
    const path = await withTone('long.mp4', 60);
    const capture = new Capture({
      ...{ ffmpegPath, playback: filePlayback(path), format: TEST_FORMAT },
      ...{ sound: true, sampleIntervalMs: 1_000, decode: 'keyframes', proxyUrl: null, stallMs: 20_000 },
    });
    let frames = 0;
    for await (const _ of capture.frames(new AbortController().signal)) frames += 1;
    expect(frames).toBe(60);
    expect(capture.stats.soundDropped).toBeGreaterThan(250);
  });
});
