import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { loadSettings } from '#libs/config/environment.js';
import { monitorSettings } from '#libs/config/shared.settings.js';
import { list } from '#libs/config/settings.js';
import type { ObjectRule } from '#libs/contracts/captures.js';
import { AppError, messageOf } from '#libs/errors/app-error.js';
import { createLogger } from '#libs/observability/logger.js';
import { findFfmpeg } from '../apps/monitor/src/capture/ffmpeg-binary.js';
import { createVideoDetectors } from '../apps/monitor/src/detectors/registry.js';
import { EgressProxy } from '../apps/monitor/src/egress/egress-proxy.js';
import type { Closed, Opened } from '../apps/monitor/src/pipeline/pipeline.types.js';
import type { Platform } from '../apps/monitor/src/platforms/platform.port.js';
import { platformOf, registerPlatforms } from '../apps/monitor/src/platforms/registry.js';
import type { SessionSink } from '../apps/monitor/src/sessions/session-sink.js';
import { StreamSession } from '../apps/monitor/src/sessions/stream-session.js';

const USAGE = `usage: npm run --silent try:stream -- <url|file> [options]
  --platform id                  who resolves the address (default: the site it belongs to, else url)
  --objects person:0.5,dog:0.5   what to look for, each with its threshold (default person:0.5)
  --model name|path              model from the manifest, or your own .onnx (default: MODEL)
  --seconds N                    stop after N seconds of stream time
Prints one JSON line per event: {"label","confidence","startedAt","endedAt","box","frames"},
times in seconds of stream time. A file is read at full speed. EGRESS_ALLOW lets private addresses through.`;

/** What was asked for on the command line. */
interface Request {
  url: string;
  /** Id of the platform; unset to tell by the address. */
  platform: string | undefined;
  rules: ObjectRule[];
  model: string | undefined;
  seconds: number;
}

/** @throws AppError `usage` with a sentence for a person. */
function parse(argv: readonly string[]): Request {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      platform: { type: 'string' },
      objects: { type: 'string', default: 'person:0.5' },
      model: { type: 'string' },
      seconds: { type: 'string' },
    },
  });
  const [source, ...others] = positionals;
  if (source === undefined || others.length > 0) throw new AppError('usage', 'user', 'Name one url or file.');
  const seconds = values.seconds === undefined ? Infinity : Number(values.seconds);
  if (!(seconds > 0)) throw new AppError('usage', 'user', `--seconds ${values.seconds} is not a positive number.`);
  const rules = list.parse(values.objects).map(ruleOf);
  const { platform, model } = values;
  const asItIs = /^[a-z][a-z0-9+.-]+:/i.test(source) || (platform !== undefined && platform !== 'url');
  return { url: asItIs ? source : fileUrl(source), platform, rules, model, seconds };
}

function fileUrl(path: string): string {
  if (!existsSync(path)) throw new AppError('usage', 'user', `There is no file ${path}.`);
  return pathToFileURL(resolve(path)).href;
}

function ruleOf(text: string): ObjectRule {
  const [label = '', threshold = '0.5'] = text.split(':');
  const value = Number(threshold);
  if (label === '' || !(value > 0 && value <= 1)) {
    throw new AppError('usage', 'user', `--objects: "${text}" is not label:threshold with a threshold up to 1.`);
  }
  return { id: randomUUID(), version: 1, label, threshold: value, severity: 'medium', cooldownMs: 0 };
}

/** Prints each event when it is over. */
class Printer implements SessionSink {
  private readonly open = new Map<string, Opened>();
  fault: string | null = null;

  constructor(
    private readonly seconds: number,
    private readonly stop: () => void,
  ) {}

  status(change: { status: string; detail: string }): void {
    process.stderr.write(`${change.status}${change.detail === '' ? '' : `: ${change.detail}`}\n`);
    const failed = ['error', 'offline', 'degraded'].includes(change.status);
    this.fault = failed ? change.detail : null;
    if (failed) this.stop();
  }

  opened(event: Opened): Promise<void> {
    this.open.set(event.eventId, event);
    return Promise.resolve();
  }

  closed(event: Closed): Promise<void> {
    const start = this.open.get(event.eventId);
    this.open.delete(event.eventId);
    const inSeconds = (ms: number): number => Math.round(ms) / 1000;
    const line = {
      label: event.rule.label,
      confidence: event.peakConfidence,
      startedAt: inSeconds(event.startedStreamMs),
      endedAt: inSeconds(event.endedStreamMs),
      box: start?.objects[0]?.box.map(Math.round),
      frames: event.frames,
    };
    process.stdout.write(`${JSON.stringify(line)}\n`);
    return Promise.resolve();
  }

  inspected(streamTimeMs: number): void {
    if (streamTimeMs >= this.seconds * 1000) this.stop();
  }
}

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
  const [detector] = createVideoDetectors({
    model: request.model ?? settings.MODEL,
    modelsDir: settings.MODELS_DIR,
    allowDownload: settings.MODEL_DOWNLOAD,
    threads: settings.INFERENCE_THREADS,
  });
  if (detector === undefined) throw new Error('No video detector is registered.');
  const egress = await EgressProxy.start({ allow: list.parse(settings.EGRESS_ALLOW) });
  const ending = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => ending.abort());
  try {
    const ffmpegPath = await findFfmpeg(settings.FFMPEG_PATH);
    await detector.start();
    process.stderr.write(`${detector.state().detail}\n`);
    const streamId = randomUUID();
    const printer = new Printer(request.seconds, () => ending.abort());
    const session = new StreamSession(
      {
        v: 1,
        streamId,
        generation: 1,
        name: request.url,
        platform: platform.descriptor.id,
        url: request.url,
        priority: 5,
        parts: ['video'],
        language: null,
        chat: null,
      },
      1,
      {
        ...{ platform, detector, ffmpegPath, logger },
        lane: await egress.open(streamId),
        rules: () => request.rules,
        sink: printer,
        sampleIntervalMs: settings.SAMPLE_INTERVAL_MS,
        now: Date.now,
        random: Math.random,
      },
    );
    await session.run(ending.signal);
    if (printer.fault !== null) throw new AppError('stream', 'operational', printer.fault);
    return 0;
  } finally {
    await detector.stop();
    await egress.stop();
  }
}

try {
  process.exitCode = await run(parse(process.argv.slice(2)));
} catch (error) {
  const usage = error instanceof TypeError || (error instanceof AppError && error.code === 'usage');
  process.stderr.write(`try:stream: ${messageOf(error)}\n${usage ? `${USAGE}\n` : ''}`);
  process.exitCode = usage ? 2 : 1;
}
