import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { promisify } from 'node:util';
import { AppError, messageOf } from '#libs/errors/app-error.js';

const run = promisify(execFile);
const require = createRequire(import.meta.url);

/**
 * Finds an ffmpeg that runs: the explicit path, the optional package `ffmpeg-static`, the one on PATH.
 * An explicit path that does not run is an error and not passed over.
 * @throws AppError `ffmpeg.missing` saying what to install.
 */
export async function findFfmpeg(explicit?: string): Promise<string> {
  const tried: string[] = [];
  for (const path of explicit === undefined ? [packaged(), 'ffmpeg'] : [explicit]) {
    if (path === null) continue;
    try {
      const { stdout } = await run(path, ['-hide_banner', '-version'], { timeout: 10_000, maxBuffer: 1 << 20 });
      if (stdout.startsWith('ffmpeg version')) return path;
      tried.push(`${path}: is not ffmpeg`);
    } catch (error) {
      tried.push(`${path}: ${messageOf(error).split('\n')[0] ?? ''}`);
    }
  }
  const advice =
    explicit === undefined
      ? 'No ffmpeg was found. Install it (Debian, Ubuntu: `apt-get install ffmpeg`; macOS: `brew install ffmpeg`), ' +
        'or run `npm install ffmpeg-static`, or set FFMPEG_PATH to one.'
      : `FFMPEG_PATH is "${explicit}", which does not run. Correct it, or unset it to use the one on PATH.`;
  throw new AppError('ffmpeg.missing', 'operational', advice, { tried });
}

/** Path of the packaged ffmpeg; null when the optional package or its download is not there. */
function packaged(): string | null {
  try {
    const path: unknown = require('ffmpeg-static');
    return typeof path === 'string' ? path : null;
  } catch {
    return null;
  }
}
