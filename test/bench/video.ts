import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { loadSettings } from '#libs/config/environment.js';
import { monitorSettings } from '#libs/config/shared.settings.js';
import type { ObjectRule } from '#libs/contracts/captures.js';
import { createLogger } from '#libs/observability/logger.js';
import { DEFAULT_MAX_PIXELS, ffmpegArguments } from '../../apps/monitor/src/capture/ffmpeg-arguments.js';
import { findFfmpeg } from '../../apps/monitor/src/capture/ffmpeg-binary.js';
import type { FrameFormat } from '../../apps/monitor/src/capture/frame.js';
import type { VideoDetector } from '../../apps/monitor/src/detectors/detector.port.js';
import { createVideoDetectors } from '../../apps/monitor/src/detectors/registry.js';
import { EgressProxy } from '../../apps/monitor/src/egress/egress-proxy.js';
import { ModelStore } from '../../apps/monitor/src/inference/model-store.js';
import { registerPlatforms } from '../../apps/monitor/src/platforms/registry.js';
import { StreamSession } from '../../apps/monitor/src/sessions/stream-session.js';
import { cpuSeconds, residentMb } from './cpu-meter.js';

/** Length of the clip, s. */
const CLIP_SECONDS = 120;
/** One inspected frame in so many ms: the clip's GOP. */
const INTERVAL_MS = 2_000;
/** How often each variant runs. */
const ROUNDS = 6;
/** Streams that run at once for the memory figure. */
const PARALLEL = 4;
/** Streams that run at once, at the pace of live, for the cost of each; the few before and after the many. */
const [FEW, MANY] = [5, 50];
/** How long they run, s of stream. */
const PACED_SECONDS = 30;

/** Figures of one run; CPU time of all processes and threads counted. */
export interface VideoFigures {
  /** Seconds of stream that one CPU second watches, whole session: capture, inference, pipeline. */
  streamSecondsPerCpuSecond: number;
  /** The same for the very same ffmpeg command with its outputs thrown away plus a bare loop of the same inferences. */
  limit: number;
  ratioToLimit: number;
  /** The same for full decode with an fps filter, the same other outputs and the same inferences. */
  peerFullDecode: number;
  ratioToPeer: number;
  /** Keyframes decoded and nothing else. */
  bareKeyframeDecode: number;
  rssMbPerStream: number;
  /** CPU time of a second of one stream, ms, and frames inspected in it, of few and of many streams at the pace of live. */
  few: PacedFigures;
  many: PacedFigures;
  /** Cost of one of many streams to that of one of few. */
  costFlatness: number;
  model: string;
  inferences: number;
}

/** What one of several streams costs at the pace of live. */
interface PacedFigures {
  streams: number;
  cpuMsPerStreamSecond: number;
  inspectedPerStreamSecond: number;
}

const rule: ObjectRule = {
  id: '00000000-0000-4000-8000-000000000001',
  version: 1,
  label: 'person',
  threshold: 0.5,
  severity: 'low',
  cooldownMs: 0,
};

/** Runs a program to its end. */
function run(path: string, args: readonly string[]): Promise<void> {
  return new Promise((done, failed) => {
    const child = spawn(path, args, { stdio: 'ignore' });
    child.once('error', failed);
    child.once('exit', (code) => (code === 0 ? done() : failed(new Error(`${path} ended with ${code}`))));
  });
}

/** CPU seconds that the work used. */
async function costOf(work: () => Promise<unknown>): Promise<number> {
  const before = await cpuSeconds();
  await work();
  return (await cpuSeconds()) - before;
}

/** Makes the clip that every variant watches. */
async function makeClip(ffmpeg: string, path: string): Promise<void> {
  const source = `testsrc2=size=1280x720:rate=30:duration=${CLIP_SECONDS},noise=alls=6:allf=t`;
  const gop = ['-g', '60', '-keyint_min', '60', '-sc_threshold', '0'];
  const encoder = ['-c:v', 'libx264', '-preset', 'veryfast', '-b:v', '2500k', '-pix_fmt', 'yuv420p'];
  await run(ffmpeg, ['-v', 'error', '-f', 'lavfi', '-i', source, ...encoder, ...gop, '-y', path]);
}

/** Runs whole sessions on the clip, begun over `spreadMs`, as fast as ffmpeg goes. @returns inspected frames of each */
async function sessions(
  count: number,
  clip: string,
  ffmpegPath: string,
  detector: VideoDetector,
  spreadMs = 0,
): Promise<number> {
  const egress = await EgressProxy.start({ allow: [] });
  const platform = registerPlatforms({ allowFiles: true }).find(({ descriptor }) => descriptor.id === 'url');
  if (platform === undefined) throw new Error('The platform "url" is not registered.');
  let inspected = 0;
  const watch = async (index: number): Promise<void> => {
    await pause((index * spreadMs) / count);
    const streamId = `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`;
    const session = new StreamSession(
      {
        v: 1,
        streamId,
        generation: 1,
        name: 'bench',
        platform: 'url',
        url: pathToFileURL(clip).href,
        priority: 5,
        parts: ['video'],
        language: null,
        chat: null,
      },
      1,
      {
        ...{ platform, detector, ffmpegPath },
        lane: await egress.open(streamId),
        rules: () => [rule],
        sink: {
          status: () => undefined,
          opened: () => Promise.resolve(),
          closed: () => Promise.resolve(),
          inspected: () => (inspected += 1),
        },
        sampleIntervalMs: INTERVAL_MS,
        now: Date.now,
        random: Math.random,
        logger: createLogger('bench', 'silent'),
      },
    );
    await session.run(new AbortController().signal);
  };
  await Promise.all(Array.from({ length: count }, (_, index) => watch(index)));
  await egress.stop();
  return inspected / count;
}

/** An ffmpeg that takes the beginning of its input at the pace of live. Gives its path. */
async function pacedFfmpeg(ffmpeg: string, folder: string): Promise<string> {
  const path = join(folder, 'paced-ffmpeg');
  await writeFile(path, `#!/bin/sh\nexec '${ffmpeg}' -re -t ${PACED_SECONDS} "$@"\n`, { mode: 0o755 });
  return path;
}

/** What each of `streams` streams costs that come at the pace of live, every frame of each inspected. */
async function pacedCost(run: (streams: number) => Promise<number>, streams: number): Promise<PacedFigures> {
  let inspected = 0;
  const seconds = await costOf(async () => (inspected = await run(streams)));
  return {
    streams,
    cpuMsPerStreamSecond: round((seconds * 1_000) / (streams * PACED_SECONDS)),
    inspectedPerStreamSecond: round(inspected / PACED_SECONDS),
  };
}

/** The bare loop: one session, one thread, one input that stays where it is. */
async function inferenceLoop(modelPath: string): Promise<(times: number) => Promise<void>> {
  const session = await InferenceSession.create(modelPath, { intraOpNumThreads: 1, interOpNumThreads: 1 });
  const [name = ''] = session.inputNames;
  const metadata = session.inputMetadata[0];
  const shape = metadata?.isTensor === true ? metadata.shape.map((size) => (typeof size === 'number' ? size : 1)) : [];
  const size = shape.reduce((product, length) => product * length, 1);
  const input = new Tensor('float32', new Float32Array(size).fill(114), shape);
  await session.run({ [name]: input });
  return async (times) => {
    for (let index = 0; index < times; index += 1) await session.run({ [name]: input });
  };
}

/** ffmpeg's arguments for the clip, outputs thrown away. */
function plan(clip: string, format: FrameFormat, decode: 'keyframes' | 'full'): string[] {
  return ffmpegArguments({
    playback: { url: pathToFileURL(clip).href, headers: {}, pace: 'file', expiresAt: null },
    ...{ format, decode, sampleIntervalMs: INTERVAL_MS, proxyUrl: null },
    readTimeoutMs: 20_000,
    maxPixels: DEFAULT_MAX_PIXELS,
    maxEvidenceWidth: 1920,
    reportTag: 'bench',
  }).map((argument) => (argument.startsWith('pipe:') ? '/dev/null' : argument));
}

/** Full decode thinned by an fps filter: how most systems sample a stream. */
function peerPlan(clip: string, format: FrameFormat): string[] {
  const full = plan(clip, format, 'full');
  const thinned = full.map((argument) => argument.replace(/select='[^']*'/, `fps=${1000 / INTERVAL_MS}`));
  return ['-y', ...thinned];
}

/** Measures the video path against the physical limit and a peer, on the same clip in the same run. */
export async function benchVideo(progress: (text: string) => void): Promise<VideoFigures> {
  const settings = loadSettings(monitorSettings);
  const ffmpeg = await findFfmpeg(settings.FFMPEG_PATH);
  const folder = await mkdtemp(join(tmpdir(), 'vigil-bench-'));
  const weights = { modelsDir: settings.MODELS_DIR, allowDownload: settings.MODEL_DOWNLOAD };
  const [detector] = createVideoDetectors({ ...weights, model: settings.MODEL, threads: 1 });
  if (detector === undefined) throw new Error('No video detector is registered.');
  try {
    const clip = join(folder, 'clip.mp4');
    progress(`making ${CLIP_SECONDS} s of 720p30 H.264, GOP 2 s`);
    await makeClip(ffmpeg, clip);
    await detector.start();
    const format = detector.frameFormat;
    if (format === null) throw new Error(`No model: ${detector.state().detail}`);
    progress(detector.state().detail);

    const loop = await inferenceLoop((await new ModelStore(weights).resolve(settings.MODEL)).path);
    const keyframes = ['-y', ...plan(clip, format, 'keyframes')];
    await sessions(1, clip, ffmpeg, detector);
    let [ours, capture, inference, full, inferences] = [0, 0, 0, 0, 0];
    // Whatever else the machine does falls on all variants alike when they take turns.
    for (let round = 1; round <= ROUNDS; round += 1) {
      progress(
        `round ${round} of ${ROUNDS}: whole session, the same ffmpeg thrown away, the inferences bare, the peer`,
      );
      ours += await costOf(async () => (inferences = await sessions(1, clip, ffmpeg, detector)));
      capture += await costOf(() => run(ffmpeg, keyframes));
      inference += await costOf(() => loop(inferences));
      full += await costOf(() => run(ffmpeg, peerPlan(clip, format)));
    }
    const nothing = ['-v', 'error', '-skip_frame', 'nokey', '-threads', '1', '-i', clip, '-an', '-f', 'null', '-'];
    const bare = (await costOf(() => run(ffmpeg, nothing))) * ROUNDS;
    progress(`${PARALLEL} sessions at once, for memory`);
    const idleMb = await residentMb();
    let peakMb = idleMb;
    const sampler = setInterval(() => void residentMb().then((mb) => (peakMb = Math.max(peakMb, mb))), 100);
    await sessions(PARALLEL, clip, ffmpeg, detector);
    clearInterval(sampler);

    const paced = await pacedFfmpeg(ffmpeg, folder);
    const atPace = (streams: number): Promise<number> => sessions(streams, clip, paced, detector, INTERVAL_MS);
    progress(`${FEW}, ${MANY} and ${FEW} sessions at once at the pace of live, for the cost of each`);
    const before = await pacedCost(atPace, FEW);
    const many = await pacedCost(atPace, MANY);
    const after = await pacedCost(atPace, FEW);
    const few = { ...after, cpuMsPerStreamSecond: (before.cpuMsPerStreamSecond + after.cpuMsPerStreamSecond) / 2 };

    const rate = (seconds: number): number => (CLIP_SECONDS * ROUNDS) / seconds;
    const limit = rate(capture + inference);
    const peer = rate(full + inference);
    return {
      streamSecondsPerCpuSecond: round(rate(ours)),
      limit: round(limit),
      ratioToLimit: round(rate(ours) / limit),
      peerFullDecode: round(peer),
      ratioToPeer: round(rate(ours) / peer),
      bareKeyframeDecode: round(rate(bare)),
      rssMbPerStream: round((peakMb - idleMb) / PARALLEL),
      few: { ...few, cpuMsPerStreamSecond: round(few.cpuMsPerStreamSecond) },
      many,
      costFlatness: round(many.cpuMsPerStreamSecond / few.cpuMsPerStreamSecond),
      model: detector.state().model ?? 'none',
      inferences,
    };
  } finally {
    await detector.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
