import { existsSync } from 'node:fs';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { AppError, messageOf } from '#libs/errors/app-error.js';
import { systemClock } from '../capture/clock.js';
import { FfmpegProcess } from '../capture/ffmpeg-process.js';

/** What the photograph shows, as detectors call it. */
export const PLANTED_LABEL = 'person';
/** Length of a segment, and when things begin in the clip, ms. What is said comes before what is loud. */
export const CLIP = { segmentMs: 2_000, saidAtMs: 6_000, plantedAtMs: 8_000, lengthMs: 20_000 } as const;

const SAID = 'vigil canary';
/** The making of the clip may take so long, ms. */
const PATIENCE_MS = 60_000;
/** Bytes of ffmpeg's own words that are kept. */
const MOST_WORDS = 2_000;

/** A short stream, cut into segments of MPEG-TS. */
export interface PlantedClip {
  segments: readonly Buffer[];
  /** Whether a voice was wanted, and whether somebody speaks: not every ffmpeg has one. */
  triedVoice: boolean;
  speaks: boolean;
}

/**
 * Makes the clip that a canary watches: a plain picture with a quiet tone, then a photograph of people with a loud one,
 * and two words between, where the ffmpeg has a voice. Encoders that every ffmpeg has. Kept in memory, about 600 kB.
 * @throws AppError `canary.no_photo`, `canary.no_clip`
 */
export async function makePlantedClip(ffmpegPath: string, wantsVoice: boolean): Promise<PlantedClip> {
  const photo = photoOfPeople();
  if (wantsVoice) {
    const spoken = await encode(ffmpegPath, photo, true).catch(() => null);
    if (spoken !== null) return { segments: spoken, triedVoice: true, speaks: true };
  }
  return { segments: await encode(ffmpegPath, photo, false), triedVoice: wantsVoice, speaks: false };
}

/** A photograph that a package of the project carries. */
function photoOfPeople(): string {
  const missing = 'The optional package @vladmandic/face-api, which carries the photograph, is missing: `npm install`.';
  try {
    const manifest = createRequire(import.meta.url).resolve('@vladmandic/face-api/package.json');
    const photo = join(dirname(manifest), 'demo', 'sample1.jpg');
    if (existsSync(photo)) return photo;
  } catch (error) {
    throw new AppError('canary.no_photo', 'operational', missing, {}, { cause: error });
  }
  throw new AppError('canary.no_photo', 'operational', missing);
}

async function encode(ffmpegPath: string, photo: string, speaks: boolean): Promise<Buffer[]> {
  const folder = await mkdtemp(join(tmpdir(), 'vigil-canary-'));
  const ffmpeg = new FfmpegProcess(ffmpegPath, argumentsOf(photo, folder, speaks), 0, systemClock);
  const cancel = systemClock.after(PATIENCE_MS, () => void ffmpeg.stop());
  try {
    let words = '';
    ffmpeg.stderr.on('data', (chunk: Buffer) => (words = `${words}${chunk.toString()}`.slice(-MOST_WORDS)));
    const code = await ffmpeg.exited;
    ffmpeg.assertStarted();
    if (code !== 0) throw new Error(words.trim().split('\n').at(-1) ?? '');
    const names = (await readdir(folder)).filter((name) => name.endsWith('.ts')).sort();
    return await Promise.all(names.map((name) => readFile(join(folder, name))));
  } catch (error) {
    const sentence = `ffmpeg could not make the canary's clip: ${messageOf(error).slice(0, 300)}`;
    throw new AppError('canary.no_clip', 'operational', sentence, {}, { cause: error });
  } finally {
    cancel();
    await ffmpeg.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

function argumentsOf(photo: string, folder: string, speaks: boolean): string[] {
  const [planted, length] = [CLIP.plantedAtMs / 1_000, CLIP.lengthMs / 1_000];
  const shape = 'setsar=1,format=yuv420p';
  const fit = `scale=640:360:force_original_aspect_ratio=decrease,pad=640:360:-1:-1,${shape}`;
  const tone = `aevalsrc=exprs='if(lt(t,${planted}),0.03,0.7)*sin(2*PI*440*t)':s=48000:d=${length}`;
  const said = `[3:a]volume=0.3,aresample=48000,adelay=${CLIP.saidAtMs}:all=1[s];[2:a][s]amix=inputs=2:duration=first:normalize=0[a]`;
  const sound = speaks ? `;${said}` : ';[2:a]anull[a]';
  return [
    ...['-hide_banner', '-loglevel', 'error', '-nostdin'],
    ...['-f', 'lavfi', '-i', `color=c=0x404040:s=640x360:r=25:d=${planted}`],
    ...['-loop', '1', '-framerate', '25', '-t', String(length - planted), '-i', photo],
    ...['-f', 'lavfi', '-i', tone, ...(speaks ? ['-f', 'lavfi', '-i', `flite=text='${SAID}':voice=slt`] : [])],
    ...['-filter_complex', `[0:v]${shape}[p];[1:v]${fit}[q];[p][q]concat=n=2:v=1[v]${sound}`],
    ...['-map', '[v]', '-map', '[a]', '-c:v', 'mpeg2video', '-q:v', '4', '-g', '25', '-bf', '0'],
    ...['-c:a', 'aac', '-ac', '1', '-f', 'hls', '-hls_time', String(CLIP.segmentMs / 1_000), '-hls_list_size', '0'],
    ...['-hls_segment_filename', join(folder, '%03d.ts'), join(folder, 'list.m3u8')],
  ];
}
