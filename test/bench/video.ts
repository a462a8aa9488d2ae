import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
const ROUNDS = 3;
/** Streams that run at once for the memory figure. */
const PARALLEL = 4;

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
  model: string;
  inferences: number;
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

/** Runs whole sessions on the clip, at full speed. @returns inspected frames of each */
async function sessions(count: number, clip: string, ffmpegPath: string, detector: VideoDetector): Promise<number> {
  const egress = await EgressProxy.start({ allow: [] });
  const platform = registerPlatforms({ allowFiles: true }).find(({ descriptor }) => descriptor.id === 'url');
  if (platform === undefined) throw new Error('The platform "url" is not registered.');
  let inspected = 0;
  const watch = async (index: number): Promise<void> => {
    const streamId = `00000000-0000-4000-8000-00000000010${index}`;
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
    let [ours, capture, inference, inferences] = [0, 0, 0, 0];
    // Whatever else the machine does falls on all variants alike when they take turns.
    for (let round = 1; round <= ROUNDS; round += 1) {
      progress(`round ${round} of ${ROUNDS}: whole session, the same ffmpeg thrown away, the same inferences bare`);
      ours += await costOf(async () => (inferences = await sessions(1, clip, ffmpeg, detector)));
      capture += await costOf(() => run(ffmpeg, keyframes));
      inference += await costOf(() => loop(inferences));
    }
    progress('peer: full decode');
    const full = (await costOf(() => run(ffmpeg, peerPlan(clip, format)))) * ROUNDS;
    const nothing = ['-v', 'error', '-skip_frame', 'nokey', '-threads', '1', '-i', clip, '-an', '-f', 'null', '-'];
    const bare = (await costOf(() => run(ffmpeg, nothing))) * ROUNDS;
    progress(`${PARALLEL} sessions at once, for memory`);
    const idleMb = await residentMb();
    let peakMb = idleMb;
    const sampler = setInterval(() => void residentMb().then((mb) => (peakMb = Math.max(peakMb, mb))), 100);
    await sessions(PARALLEL, clip, ffmpeg, detector);
    clearInterval(sampler);

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
