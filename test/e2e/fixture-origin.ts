import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadSettings } from '#libs/config/environment.js';
import { monitorSettings } from '#libs/config/shared.settings.js';
import { startOrigin, type Origin } from '#tools/demo/origin.js';
import { findFfmpeg } from '../../apps/monitor/src/capture/ffmpeg-binary.js';

/** A live stream of one clip, repeated for ever, in a folder of its own. */
export interface FixtureOrigin extends Origin {
  /** Stops the stream and removes its folder. */
  end(): Promise<void>;
}

/**
 * Puts a clip on air.
 * @param clip gives the path of the clip; it may make one in the folder it is given
 */
export async function onAir(clip: (ffmpeg: string, folder: string) => Promise<string>): Promise<FixtureOrigin> {
  const folder = await mkdtemp(join(tmpdir(), 'vigil-origin-'));
  const ffmpeg = await findFfmpeg(loadSettings({ FFMPEG_PATH: monitorSettings.FFMPEG_PATH }).FFMPEG_PATH);
  const origin = await startOrigin({
    ffmpeg,
    clip: await clip(ffmpeg, folder),
    directory: join(folder, 'hls'),
    logFile: join(folder, 'origin.log'),
    preferredPort: 0,
  });
  return {
    ...origin,
    end: async () => {
      await origin.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
