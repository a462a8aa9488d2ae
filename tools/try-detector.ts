import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { loadSettings } from '#libs/config/environment.js';
import { monitorSettings } from '#libs/config/shared.settings.js';
import type { DetectedObject } from '#libs/contracts/primitives.js';
import { AppError, messageOf } from '#libs/errors/app-error.js';
import { Capture } from '../apps/monitor/src/capture/capture.js';
import { findFfmpeg } from '../apps/monitor/src/capture/ffmpeg-binary.js';
import type { CapturedFrame, FrameFormat } from '../apps/monitor/src/capture/frame.js';
import type { VideoDetector } from '../apps/monitor/src/detectors/detector.port.js';
import { createVideoDetector } from '../apps/monitor/src/detectors/registry.js';

const usage = `Usage: npm run --silent try:detector -- <image|clip>... [--detector id] [--model name|path] [--min 0.3]

Says what the detector finds in files, one JSON line each:
  {"file","width","height","boxes":[{"label","score","box":[x1,y1,x2,y2]}]}
Boxes are in pixels of the source. Of a clip, keyframes at least a second apart are inspected, and the one
with the highest sum of scores is printed. A file that cannot be inspected gives {"file","error"} and exit code 1.

  --detector  id of one in apps/monitor/src/detectors/registry.ts (default: VIDEO_DETECTOR)
  --model  name of the manifest, or path of an .onnx with its labels in a .txt of the same name (default: MODEL)
  --min    least score, 0 to 1 (default: 0.3)
  --help   this text
`;

const Min = z.coerce.number().min(0).max(1);

/** One line of the answer. */
type Finding =
  { file: string; width: number; height: number; boxes: DetectedObject[] } | { file: string; error: string };

/** A detector that is ready, and what its frames are made with. */
interface Bench {
  detector: VideoDetector;
  format: FrameFormat;
  ffmpegPath: string;
  minScore: number;
  signal: AbortSignal;
}

process.exitCode = await main(process.argv.slice(2));

async function main(args: string[]): Promise<number> {
  let options;
  try {
    options = parseOptions(args);
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n\n${usage}`);
    return 2;
  }
  if (options.help) {
    process.stdout.write(usage);
    return 0;
  }
  const interrupt = new AbortController();
  const onSignal = (): void => interrupt.abort();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, onSignal);
  try {
    return await inspectAll(options, interrupt.signal);
  } catch (error) {
    process.stderr.write(`${interrupt.signal.aborted ? 'Interrupted.' : messageOf(error)}\n`);
    return interrupt.signal.aborted ? 130 : 1;
  } finally {
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.off(name, onSignal);
  }
}

interface Options {
  files: string[];
  detector: string | undefined;
  model: string | undefined;
  minScore: number;
  help: boolean;
}

function parseOptions(args: string[]): Options {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      detector: { type: 'string' },
      model: { type: 'string' },
      min: { type: 'string', default: '0.3' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const minScore = Min.safeParse(values.min === '' ? undefined : values.min);
  if (!minScore.success) throw new Error(`--min must be a number from 0 to 1, not "${values.min}".`);
  if (positionals.length === 0 && !values.help) throw new Error('Name at least one image or clip.');
  const { detector, model, help } = values;
  return { files: positionals, detector, model, minScore: minScore.data, help };
}

async function inspectAll({ files, detector: id, model, minScore }: Options, signal: AbortSignal): Promise<number> {
  const { VIDEO_DETECTOR, MODEL, MODELS_DIR, MODEL_DOWNLOAD, FFMPEG_PATH } = monitorSettings;
  const settings = loadSettings({ VIDEO_DETECTOR, MODEL, MODELS_DIR, MODEL_DOWNLOAD, FFMPEG_PATH });
  const ffmpegPath = await findFfmpeg(settings.FFMPEG_PATH);
  const detector = createVideoDetector(id ?? settings.VIDEO_DETECTOR, {
    model: model ?? settings.MODEL,
    modelsDir: settings.MODELS_DIR,
    allowDownload: settings.MODEL_DOWNLOAD,
    threads: 1,
  });
  const stop = (): void => void detector.stop();
  signal.addEventListener('abort', stop, { once: true });
  try {
    await detector.start();
    const { state, detail } = detector.state();
    process.stderr.write(`${detail}\n`);
    const format = detector.frameFormat;
    if (state !== 'ready' || format === null) return 1;
    let faults = 0;
    for (const file of files) {
      const finding = await inspectFile(file, { detector, format, ffmpegPath, minScore, signal });
      process.stdout.write(`${JSON.stringify(finding)}\n`);
      if ('error' in finding) faults++;
    }
    return faults === 0 ? 0 : 1;
  } finally {
    signal.removeEventListener('abort', stop);
    await detector.stop();
  }
}

async function inspectFile(file: string, bench: Bench): Promise<Finding> {
  try {
    if (!existsSync(file)) throw new AppError('file.not_found', 'user', 'There is no such file.');
    let best: { frame: CapturedFrame; boxes: DetectedObject[]; total: number } | null = null;
    for await (const frame of framesOf(file, bench)) {
      const boxes = await bench.detector.inspect(frame, bench.minScore, bench.signal);
      const total = boxes.reduce((sum, { score }) => sum + score, 0);
      if (best === null || total > best.total) best = { frame, boxes, total };
    }
    bench.signal.throwIfAborted();
    if (best === null) throw new AppError('file.no_picture', 'user', 'There is no picture in the file.');
    const { width, height } = best.frame.source;
    return { file, width, height, boxes: best.boxes };
  } catch (error) {
    bench.signal.throwIfAborted();
    return { file, error: messageOf(error) };
  }
}

/** Pictures of a file, through the same capture as a stream's. */
function framesOf(file: string, { ffmpegPath, format, signal }: Bench): AsyncGenerator<CapturedFrame> {
  const url = pathToFileURL(resolve(file)).href;
  const playback = { url, headers: {}, pace: 'file' as const, expiresAt: null };
  const capture = new Capture({
    ...{ ffmpegPath, playback, format },
    ...{ sampleIntervalMs: 1_000, decode: 'keyframes', proxyUrl: null, stallMs: 20_000 },
  });
  return capture.frames(signal);
}
