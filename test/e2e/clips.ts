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
}

/** Makes a 640x360 H.264 clip at 10 fps with a keyframe each second. */
export async function makeClip(ffmpeg: string, path: string, plan: ClipPlan): Promise<string> {
  const { photo, photoSeconds, plainSeconds } = plan;
  const fit = 'scale=640:360:force_original_aspect_ratio=decrease,pad=640:360:-1:-1,setsar=1,fps=10,format=yuv420p';
  const still = ['-loop', '1', '-t', String(photoSeconds), '-i', photo];
  const plain = ['-f', 'lavfi', '-t', String(Math.max(plainSeconds, 0.1)), '-i', 'color=c=0x404040:s=640x360:r=10'];
  const graph =
    plainSeconds > 0 ? `[0:v]${fit}[a];[1:v]setsar=1,format=yuv420p[b];[a][b]concat=n=2:v=1[v]` : `[0:v]${fit}[v]`;
  const codec = ['-c:v', 'libx264', '-preset', 'veryfast', '-g', '10', '-keyint_min', '10', '-sc_threshold', '0'];
  await run(ffmpeg, ['-v', 'error', ...still, ...plain, '-filter_complex', graph, '-map', '[v]', ...codec, '-y', path]);
  return path;
}
