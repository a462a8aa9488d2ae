import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { promisify } from 'node:util';
import { z } from 'zod';
import { childEnvironment, loadSettings } from '#libs/config/environment.js';
import { monitorSettings } from '#libs/config/shared.settings.js';
import { AppError, messageOf } from '#libs/errors/app-error.js';
import { findOnPath, versionLine } from './executables.js';

const run = promisify(execFile);

/** An ffmpeg that runs. */
interface Ffmpeg {
  path: string;
  /** What it prints first for `-version`. */
  version: string;
  /** How it was found. */
  source: 'FFMPEG_PATH' | 'ffmpeg-static' | 'PATH';
}

/** Path that the `ffmpeg-static` package names, null when the package is absent. */
function packagedFfmpeg(): string | null {
  try {
    return z.string().safeParse(createRequire(import.meta.url)('ffmpeg-static')).data ?? null;
  } catch {
    return null;
  }
}

/**
 * Finds the ffmpeg to use: `FFMPEG_PATH`, else the packaged one, else the one on PATH; null when there is none.
 * @throws AppError `ffmpeg.broken` when `FFMPEG_PATH` names something that does not run.
 */
export async function findFfmpeg(): Promise<Ffmpeg | null> {
  const chosen = loadSettings({ FFMPEG_PATH: monitorSettings.FFMPEG_PATH }).FFMPEG_PATH;
  if (chosen !== undefined) {
    const version = await versionLine(chosen, '-version');
    if (version !== null) return { path: chosen, version, source: 'FFMPEG_PATH' };
    throw new AppError('ffmpeg.broken', 'user', `FFMPEG_PATH is "${chosen}", which does not run: correct or unset it.`);
  }
  const candidates = [
    { path: packagedFfmpeg(), source: 'ffmpeg-static' },
    { path: findOnPath(['ffmpeg']), source: 'PATH' },
  ] as const;
  for (const { path, source } of candidates) {
    const version = path === null ? null : await versionLine(path, '-version');
    if (path !== null && version !== null) return { path, version, source };
  }
  return null;
}

/** What to do on a machine without ffmpeg. */
export const FFMPEG_MISSING =
  'ffmpeg was not found: install it (Debian, Ubuntu: `apt-get install ffmpeg`; macOS: `brew install ffmpeg`) or set FFMPEG_PATH.';

/**
 * Finds ffmpeg, and as root on Debian or Ubuntu installs it when it is missing, saying so.
 * @throws AppError `ffmpeg.missing` with what to install.
 */
export async function ensureFfmpeg(say: (text: string) => void): Promise<Ffmpeg> {
  const found = await findFfmpeg();
  if (found !== null) return found;
  const apt = findOnPath(['apt-get']);
  if (process.getuid?.() !== 0 || apt === null) throw new AppError('ffmpeg.missing', 'user', FFMPEG_MISSING);
  say('ffmpeg was not found; installing the ffmpeg package with apt-get (about a minute) …');
  const options = {
    env: childEnvironment({ DEBIAN_FRONTEND: 'noninteractive' }),
    timeout: 300_000,
    maxBuffer: 64 * 1024 * 1024,
  };
  try {
    await run(apt, ['update', '-qq'], options).catch(() => undefined);
    await run(apt, ['install', '-y', '-qq', '--no-install-recommends', 'ffmpeg'], options);
  } catch (error) {
    const last = messageOf(error).trim().split('\n').at(-1) ?? '';
    throw new AppError(
      'ffmpeg.missing',
      'operational',
      `apt-get could not install ffmpeg (${last}). ${FFMPEG_MISSING}`,
    );
  }
  const installed = await findFfmpeg();
  if (installed === null) throw new AppError('ffmpeg.missing', 'user', FFMPEG_MISSING);
  return installed;
}
