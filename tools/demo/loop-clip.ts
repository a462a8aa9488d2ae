import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { AppError, messageOf } from '#libs/errors/app-error.js';
import { resolvePackage } from '../services/executables.js';
import { aacFrames, soundArguments } from './loop-sound.js';

const run = promisify(execFile);

/** Shape of the demo's picture. A scene is as long as {@link aacFrames} wants it. */
export const CLIP = { width: 1280, height: 720, fps: 25, gopSeconds: 2, photoSeconds: 10, pauseSeconds: 6 } as const;

/** As many as make two rounds of sound; photographs come again where there are fewer. */
const SCENES = 5;

/** Photographs of people that packages of the project carry. */
function packagedPhotos(): string[] {
  const faces = resolvePackage('@vladmandic/face-api/package.json');
  const human = resolvePackage('@vladmandic/human/package.json');
  const paths = [
    ...(faces === null ? [] : [1, 2, 3, 4, 5, 6].map((n) => join(dirname(faces), 'demo', `sample${n}.jpg`))),
    ...(human === null ? [] : [join(dirname(human), 'assets', 'samples.jpg')]),
  ];
  return paths.filter((path) => existsSync(path));
}

/**
 * Makes the clip that the live stream repeats: each photograph with a slow pan and zoom, then a plain pause, so that
 * objects come and go; and {@link SOUND} under it. Encoded once and kept, so that the live stream only copies it.
 * @throws AppError `demo.no_photos`, `demo.no_clip`
 */
export async function makeLoopClip(ffmpeg: string, directory: string, signal: AbortSignal): Promise<string> {
  const found = packagedPhotos().slice(0, SCENES);
  if (found.length === 0) {
    throw new AppError(
      'demo.no_photos',
      'user',
      "The packages that carry the demo's photographs are missing: run `npm ci` again.",
    );
  }
  const photos = Array.from({ length: SCENES }, (_, index) => found[index % found.length] ?? '');
  const forSound = soundArguments(SCENES * (CLIP.photoSeconds + CLIP.pauseSeconds));
  const key = createHash('sha256')
    .update([...forSound, ...clipArguments(photos, 'sound')].join('\n'))
    .digest('hex')
    .slice(0, 12);
  const clip = join(directory, `loop-${key}.mp4`);
  if (existsSync(clip)) return clip;
  mkdirSync(directory, { recursive: true });
  const partial = `${clip}.partial.mp4`;
  const sound = `${clip}.partial.aac`;
  const options = { signal, timeout: 180_000, maxBuffer: 1024 * 1024 };
  try {
    await run(ffmpeg, [...forSound, sound], options);
    await run(ffmpeg, [...clipArguments(photos, sound), partial], options);
    renameSync(partial, clip);
  } catch (error) {
    rmSync(partial, { force: true });
    throw new AppError(
      'demo.no_clip',
      'operational',
      `ffmpeg could not make the demo's clip: ${messageOf(error).slice(-600)}`,
    );
  } finally {
    rmSync(sound, { force: true });
  }
  return clip;
}

/** Every frame is keyed by its time, without B-frames, so that presentation times run evenly from 0. */
function clipArguments(photos: readonly string[], sound: string): string[] {
  const { width, height, fps, gopSeconds, photoSeconds, pauseSeconds } = CLIP;
  const frames = photoSeconds * fps;
  const [wide, high] = [width * 2, height * 2];
  const even = `setpts=N/(${fps}*TB),setsar=1,format=yuv420p`;
  const scenes = photos.map((_, index) => {
    const zoom = index % 2 === 0 ? `1+0.15*on/${frames}` : `1.15-0.15*on/${frames}`;
    const pan = index % 2 === 0 ? `(iw-iw/zoom)*on/${frames}` : `(iw-iw/zoom)*(1-on/${frames})`;
    // Heads are near the top of a photograph of a group: crop the rest from below.
    const fill = `scale=${wide}:${high}:force_original_aspect_ratio=increase,crop=${wide}:${high}:(iw-ow)/2:(ih-oh)*0.1`;
    const move = `zoompan=z='${zoom}':x='${pan}':y=0:d=${frames}:s=${width}x${height}:fps=${fps}`;
    const photo = `[${index}:v]${fill},${move},trim=end_frame=${frames},${even}[photo${index}]`;
    const pause = `color=c=0x303a44:s=${width}x${height}:r=${fps}:d=${pauseSeconds},${even}[pause${index}]`;
    return `${photo};${pause}`;
  });
  const joined = photos.map((_, index) => `[photo${index}][pause${index}]`).join('');
  return [
    ...['-hide_banner', '-loglevel', 'error', '-nostdin', '-y'],
    ...[...photos, sound].flatMap((path) => ['-i', path]),
    ...['-filter_complex', `${scenes.join(';')};${joined}concat=n=${photos.length * 2}:v=1:a=0[out]`],
    ...['-map', '[out]', '-map', `${photos.length}:a`],
    ...['-c:a', 'copy', '-frames:a', String(aacFrames(photos.length * (photoSeconds + pauseSeconds)))],
    ...['-c:v', 'libx264', '-preset', 'veryfast', '-crf', '21', '-bf', '0', '-profile:v', 'main'],
    ...['-g', String(gopSeconds * fps), '-keyint_min', String(gopSeconds * fps), '-sc_threshold', '0'],
    ...['-r', String(fps), '-movflags', '+faststart', '-f', 'mp4'],
  ];
}
