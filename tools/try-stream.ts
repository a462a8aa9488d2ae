import { randomUUID } from 'node:crypto';
import { loadSettings } from '#libs/config/environment.js';
import { monitorSettings } from '#libs/config/shared.settings.js';
import { list } from '#libs/config/settings.js';
import { AppError, messageOf } from '#libs/errors/app-error.js';
import { createLogger } from '#libs/observability/logger.js';
import { findFfmpeg } from '../apps/monitor/src/capture/ffmpeg-binary.js';
import { createVideoDetector } from '../apps/monitor/src/detectors/registry.js';
import { EgressProxy } from '../apps/monitor/src/egress/egress-proxy.js';
import type { Platform } from '../apps/monitor/src/platforms/platform.port.js';
import { platformOf, registerPlatforms } from '../apps/monitor/src/platforms/registry.js';
import { StreamSession } from '../apps/monitor/src/sessions/stream-session.js';
import { parseRequest, USAGE, type Request } from './try-stream/arguments.js';
import { FindingPrinter } from './try-stream/printer.js';
import { Senses } from './try-stream/senses.js';

/** Longest time that a timer takes, seconds. */
const LONGEST_TIMER_S = 2_147_483;

/** @throws AppError `usage` */
function platformFor(request: Request): Platform {
  const platforms = registerPlatforms({ allowFiles: true });
  const id = request.platform ?? platformOf(request.url, platforms) ?? 'url';
  const found = platforms.find(({ descriptor }) => descriptor.id === id);
  if (found !== undefined) return found;
  const known = platforms.map(({ descriptor }) => descriptor.id).join(', ');
  throw new AppError('usage', 'user', `--platform ${id} is not one of ${known}.`);
}

async function run(request: Request): Promise<number> {
  const platform = platformFor(request);
  const settings = loadSettings(monitorSettings);
  const logger = createLogger('try-stream', 'silent');
  const detector = createVideoDetector(settings.VIDEO_DETECTOR, {
    model: request.model ?? settings.MODEL,
    modelsDir: settings.MODELS_DIR,
    allowDownload: settings.MODEL_DOWNLOAD,
    threads: settings.INFERENCE_THREADS,
  });
  const egress = await EgressProxy.start({ allow: list.parse(settings.EGRESS_ALLOW) });
  const senses = new Senses(request, settings, egress, logger);
  const ending = new AbortController();
  const stop = (): void => ending.abort();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, stop);
  const captures = request.parts.some((part) => part !== 'chat');
  let timer: NodeJS.Timeout | undefined;
  try {
    const ffmpegPath = captures ? await findFfmpeg(settings.FFMPEG_PATH) : '';
    if (request.parts.includes('video')) {
      await detector.start();
      process.stderr.write(`${detector.state().detail}\n`);
    }
    const streamId = randomUUID();
    const sink = new FindingPrinter(request.seconds, detector.descriptor.id, ending);
    const session = new StreamSession(
      {
        ...{ v: 1, streamId, generation: 1, name: request.url, platform: platform.descriptor.id, url: request.url },
        ...{ priority: 5, parts: request.parts, language: null, chat: request.chat },
      },
      1,
      {
        ...{ platform: captures ? platform : null, detector, ffmpegPath, logger, sink },
        lane: await egress.open(streamId),
        rules: () => request.objects,
        senses: await senses.parts(streamId, sink),
        sampleIntervalMs: settings.SAMPLE_INTERVAL_MS,
        now: Date.now,
        random: Math.random,
      },
    );
    sink.streamTimeOf = (wallTimeMs) => session.streamTimeOf(wallTimeMs);
    // Without pictures nothing else tells how time goes by.
    if (!captures && request.seconds < LONGEST_TIMER_S) timer = setTimeout(stop, request.seconds * 1000);
    await session.run(ending.signal);
    if (sink.fault !== null) throw new AppError('stream', 'operational', sink.fault);
    return 0;
  } finally {
    clearTimeout(timer);
    await senses.end();
    await detector.stop();
    await egress.stop();
  }
}

try {
  process.exitCode = await run(parseRequest(process.argv.slice(2)));
} catch (error) {
  const usage = error instanceof TypeError || (error instanceof AppError && error.code === 'usage');
  process.stderr.write(`try:stream: ${messageOf(error)}\n${usage ? `${USAGE}\n` : ''}`);
  process.exitCode = usage ? 2 : 1;
}
