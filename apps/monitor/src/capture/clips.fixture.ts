import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import type { PreparedSegment } from '#libs/testing/hls-origin.js';
import type { Playback } from '../platforms/platform.port.js';
import type { FrameFormat } from './frame.js';

const run = promisify(execFile);

/** The frames that the tests ask for. */
export const TEST_FORMAT: FrameFormat = {
  width: 416,
  height: 416,
  fit: 'letterbox-top-left',
  pad: 114,
};

/** Makes small clips in a directory of its own, which {@link remove} takes away. For tests. */
export class ClipDirectory {
  private constructor(
    readonly path: string,
    private readonly ffmpegPath: string,
  ) {}

  static async make(ffmpegPath: string): Promise<ClipDirectory> {
    return new ClipDirectory(await mkdtemp(join(tmpdir(), 'vigil-clips-')), ffmpegPath);
  }

  /** A clip from an ffmpeg filter source, H.264 with a keyframe every `gop` frames. Gives its path. */
  async clip(name: string, source: string, gop: number, ...options: string[]): Promise<string> {
    const path = join(this.path, name);
    await this.ffmpeg(
      ...['-f', 'lavfi', '-i', source, '-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p'],
      ...['-g', String(gop), '-keyint_min', String(gop), '-sc_threshold', '0', ...options, path],
    );
    return path;
  }

  /** Cuts a new clip into HLS segments of `seconds`, each starting with a keyframe. */
  async segments(source: string, seconds: number, fps: number): Promise<PreparedSegment[]> {
    const directory = await mkdtemp(join(this.path, 'hls-'));
    await this.ffmpeg(
      ...['-f', 'lavfi', '-i', source, '-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p'],
      ...['-g', String(seconds * fps), '-keyint_min', String(seconds * fps), '-sc_threshold', '0'],
      ...['-f', 'hls', '-hls_time', String(seconds), '-hls_list_size', '0', join(directory, 'x.m3u8')],
    );
    const names = (await readdir(directory)).filter((name) => name.endsWith('.ts'));
    names.sort((a, b) => Number(/\d+/.exec(a)?.[0]) - Number(/\d+/.exec(b)?.[0]));
    return Promise.all(
      names.map(async (name) => ({ body: await readFile(join(directory, name)), durationMs: seconds * 1_000 })),
    );
  }

  /** Runs ffmpeg to its end. */
  async ffmpeg(...args: string[]): Promise<void> {
    await run(this.ffmpegPath, ['-hide_banner', '-nostdin', '-loglevel', 'error', '-y', ...args]);
  }

  async remove(): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }
}

/** A file as something to play at full speed. */
export function filePlayback(path: string): Playback {
  return { url: pathToFileURL(path).href, headers: {}, pace: 'file', expiresAt: null };
}
