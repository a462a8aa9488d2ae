import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { childEnvironment, loadSettings } from '#libs/config/environment.js';
import { monitorSettings } from '#libs/config/shared.settings.js';
import { AppError, messageOf } from '#libs/errors/app-error.js';
import { findFfmpeg } from '../../apps/monitor/src/capture/ffmpeg-binary.js';
import { findOnPath, versionLine } from './executables.js';

const run = promisify(execFile);

/** An ffmpeg that runs. */
interface Ffmpeg {
  path: string;
  /** What it prints first for `-version`. */
  version: string;
}

/** Whether {@link ensureFfmpeg} could install one here: as root, with apt-get. */
export function canInstallFfmpeg(): boolean {
  return process.getuid?.() === 0 && findOnPath(['apt-get']) !== null;
}

/** The ffmpeg that the monitor will use. @throws AppError `ffmpeg.missing` with what to install. */
export async function currentFfmpeg(): Promise<Ffmpeg> {
  const { FFMPEG_PATH } = loadSettings({ FFMPEG_PATH: monitorSettings.FFMPEG_PATH });
  const found = await findFfmpeg(FFMPEG_PATH);
  const path = findOnPath([found]) ?? found;
  return { path, version: (await versionLine(path, '-version')) ?? 'unknown version' };
}

/**
 * Finds ffmpeg, and as root on Debian or Ubuntu installs it when it is missing, saying so. An `FFMPEG_PATH` that does
 * not run is the person's to correct.
 * @throws AppError `ffmpeg.missing` with what to install.
 */
export async function ensureFfmpeg(say: (text: string) => void): Promise<Ffmpeg> {
  try {
    return await currentFfmpeg();
  } catch (missing) {
    const chosen = loadSettings({ FFMPEG_PATH: monitorSettings.FFMPEG_PATH }).FFMPEG_PATH;
    if (chosen !== undefined || !canInstallFfmpeg()) throw missing;
    say('ffmpeg was not found; installing the ffmpeg package with apt-get (about a minute) …');
    await install();
    return currentFfmpeg();
  }
}

async function install(): Promise<void> {
  const options = {
    env: childEnvironment({ DEBIAN_FRONTEND: 'noninteractive' }),
    timeout: 300_000,
    maxBuffer: 64 * 1024 * 1024,
  };
  try {
    await run('apt-get', ['update', '-qq'], options).catch(() => undefined);
    await run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'ffmpeg'], options);
  } catch (error) {
    const last = messageOf(error).trim().split('\n').at(-1) ?? '';
    const sentence = `apt-get could not install ffmpeg (${last}). Install it by hand, or set FFMPEG_PATH to one.`;
    throw new AppError('ffmpeg.missing', 'operational', sentence, {}, { cause: error });
  }
}
