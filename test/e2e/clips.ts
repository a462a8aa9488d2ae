import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A photograph of a group of people, out of an npm package. */
export function photoOfPeople(): string {
  const manifest = createRequire(import.meta.url).resolve('@vladmandic/face-api/package.json');
  return join(dirname(manifest), 'demo', 'sample1.jpg');
}

/** What a clip shows: a photo for so long, then a plain picture for so long. */
export interface ClipPlan {
  photo: string;
  photoSeconds: number;
  plainSeconds: number;
  /** A file whose sound is under it, at least as long; silent without. */
  sound?: string;
}

/** Makes a 640x360 H.264 clip at 10 fps with a keyframe each second. */
export async function makeClip(ffmpeg: string, path: string, plan: ClipPlan): Promise<string> {
  const { photo, photoSeconds, plainSeconds, sound } = plan;
  const fit = 'scale=640:360:force_original_aspect_ratio=decrease,pad=640:360:-1:-1,setsar=1,fps=10,format=yuv420p';
  const still = ['-loop', '1', '-t', String(photoSeconds), '-i', photo];
  const plain = ['-f', 'lavfi', '-t', String(Math.max(plainSeconds, 0.1)), '-i', 'color=c=0x404040:s=640x360:r=10'];
  const graph =
    plainSeconds > 0 ? `[0:v]${fit}[a];[1:v]setsar=1,format=yuv420p[b];[a][b]concat=n=2:v=1[v]` : `[0:v]${fit}[v]`;
  const codec = ['-c:v', 'libx264', '-preset', 'veryfast', '-g', '10', '-keyint_min', '10', '-sc_threshold', '0'];
  const heard = sound === undefined ? [] : ['-i', sound];
  const audio = sound === undefined ? [] : ['-map', '2:a', '-c:a', 'aac', '-t', String(photoSeconds + plainSeconds)];
  const inputs = [...still, ...plain, ...heard];
  await run(ffmpeg, [
    '-v',
    'error',
    ...inputs,
    '-filter_complex',
    graph,
    '-map',
    '[v]',
    ...codec,
    ...audio,
    '-y',
    path,
  ]);
  return path;
}

/** Length of what {@link makeSound} makes, s. */
export const SOUND_SECONDS = 16;

/**
 * Makes a sound: for 11 s quietly what is said in a file, or chords where none is given; then 3 s of an alarm that is
 * more than 12 dB louder; silence between.
 */
export async function makeSound(ffmpeg: string, path: string, speech: string | null): Promise<string> {
  const alarm = 'between(t,12,15)*0.5*sin(2*PI*880*t)';
  const chords = 'lt(t,11)*0.02*(sin(2*PI*220*t)+sin(2*PI*330*t))';
  const made = (sum: string): string[] => ['-f', 'lavfi', '-i', `aevalsrc=exprs='${sum}':s=48000:d=${SOUND_SECONDS}`];
  const mixed = '[1:a]volume=0.3,aresample=48000,apad[said];[0:a][said]amix=inputs=2:duration=first:normalize=0';
  const inputs =
    speech === null ? made(`${alarm}+${chords}`) : [...made(alarm), '-i', speech, '-filter_complex', mixed];
  await run(ffmpeg, ['-v', 'error', ...inputs, '-ac', '1', '-y', path]);
  return path;
}
