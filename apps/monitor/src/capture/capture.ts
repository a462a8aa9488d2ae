import { randomBytes } from 'node:crypto';
import type { Playback } from '../platforms/platform.port.js';
import { explainEnd, type CaptureFault } from './capture-error.js';
import { systemClock, type Clock } from './clock.js';
import {
  DEFAULT_MAX_PIXELS,
  ffmpegArguments,
  outputCount,
  SOUND_OUTPUT,
  STAND_IN_SAMPLES,
} from './ffmpeg-arguments.js';
import { FfmpegLog, type FrameReport } from './ffmpeg-log.js';
import { multipartBodies } from './ffmpeg-output.js';
import { FfmpegProcess } from './ffmpeg-process.js';
import { FrameReader } from './frame-reader.js';
import type { CapturedFrame, FrameFormat } from './frame.js';
import { residentBytes } from './process-memory.js';
import { ReportQueue } from './report-queue.js';
import { SoundChunks, type SoundChunk } from './sound-chunks.js';
import { doubtLimit, stallLimit, Watchdog } from './watchdog.js';

/** What to capture and within which bounds. */
export interface CaptureOptions {
  ffmpegPath: string;
  playback: Playback;
  format: FrameFormat;
  /** Wished distance of two frames in stream time, ms. With `keyframes` the source's own distance is the least. */
  sampleIntervalMs: number;
  decode: 'keyframes' | 'full';
  /** Proxy of the stream's egress lane; null for inputs that do not use http. */
  proxyUrl: string | null;
  /** Whether {@link Capture.pcm} delivers the sound; it does not when not given. */
  sound?: boolean;
  /** Longest wait for a frame, ms; max(20 s, 3 target durations) when unset. */
  stallMs?: number;
  /** The newest fault that the egress lane saw; makes the end explainable and a spent budget final. */
  fault?: () => CaptureFault | null;
  /** Width above which the evidence picture is scaled down; 1920 when unset. */
  maxEvidenceWidth?: number;
  /** Largest picture that is decoded, in pixels. */
  maxPixels?: number;
  /** Largest evidence picture, bytes; 16 MiB when unset. */
  maxJpegBytes?: number;
  /** Resident memory at which ffmpeg is ended, bytes; 768 MiB when unset. Looked at where the system tells. */
  maxMemoryBytes?: number;
  /** Time between SIGTERM and SIGKILL, ms; 2 s when unset. */
  killGraceMs?: number;
}

/** What a capture has done so far. */
export interface CaptureStats {
  pid: number | null;
  startedAt: number | null;
  /** Frames handed to the consumer. */
  frames: number;
  bytes: number;
  lastFrameAt: number | null;
  /** Stream time between the last two delivered frames, ms. */
  keyframeIntervalMs: number | null;
  /**
   * True when only keyframes are decoded and they come too far apart (more than 4 s and more than 1.5 sample
   * intervals): a session should start over with `decode: 'full'`.
   */
  sparseKeyframes: boolean;
  /** Chunks of sound that nobody took within half a minute. */
  soundDropped: number;
}

const BUDGET_POLL_MS = 250;
const MAX_MEMORY_BYTES = 768 * 2 ** 20;
const SPARSE_KEYFRAMES_MS = 4_000;

/** One run of ffmpeg on one input. Owns the process: whichever way {@link frames} ends, ffmpeg is reaped. */
export class Capture {
  readonly stats: CaptureStats = {
    pid: null,
    startedAt: null,
    frames: 0,
    bytes: 0,
    lastFrameAt: null,
    keyframeIntervalMs: null,
    sparseKeyframes: false,
    soundDropped: 0,
  };
  private readonly stallMs: number;
  private readonly log: FfmpegLog;
  private readonly reports = new ReportQueue();
  private readonly sound = new SoundChunks(STAND_IN_SAMPLES);
  private readonly reportTag = randomBytes(8).toString('hex');
  private models: FrameReader | null = null;
  private lastPtsMs: number | null = null;
  private overrun: CaptureFault | null = null;
  private onDoubt: () => void = () => undefined;

  constructor(
    private readonly options: CaptureOptions,
    private readonly clock: Clock = systemClock,
  ) {
    this.stallMs = options.stallMs ?? stallLimit(options.playback.targetDurationMs);
    this.log = new FfmpegLog(
      this.reportTag,
      (report) => this.reports.push(report),
      undefined,
      (report) => this.sound.report(report),
      () => this.onDoubt(),
    );
  }

  /**
   * Starts ffmpeg and yields frames as the consumer asks for them; an idle consumer holds ffmpeg back, so a file
   * loses none. Ends quietly when aborted, and at the end of a file. May be called once.
   * @throws CaptureError when a live stream ends or fails, saying why; AppError `ffmpeg.missing`, `capture.bad_input`.
   */
  async *frames(signal: AbortSignal): AsyncGenerator<CapturedFrame, void, void> {
    if (this.stats.startedAt !== null) throw new Error('A capture can be read only once.');
    if (signal.aborted) return;
    this.stats.startedAt = this.clock.now();
    const outputs = outputCount(this.options.sound === true);
    const ffmpeg = new FfmpegProcess(this.options.ffmpegPath, this.arguments(), outputs, this.clock);
    this.stats.pid = ffmpeg.pid ?? null;
    let stalledMs: number | null = null;
    let aborted = false;
    const end = (): void => void ffmpeg.stop(this.options.killGraceMs);
    const onAbort = (): void => {
      aborted = true;
      end();
    };
    const dogOf = (limitMs: number): Watchdog => {
      const onStall = (): void => {
        stalledMs = limitMs;
        end();
      };
      return new Watchdog(limitMs, this.clock, onStall, this.options.playback.intermission);
    };
    const watchdog = dogOf(this.stallMs);
    const doubt = dogOf(doubtLimit(this.stallMs, this.options.playback.targetDurationMs));
    this.onDoubt = (): void => {
      if (watchdog.armed && !doubt.armed) doubt.feed();
    };
    signal.addEventListener('abort', onAbort, { once: true });
    const budget = setInterval(() => this.hasSpent(ffmpeg) && end(), BUDGET_POLL_MS);
    ffmpeg.stderr.setEncoding('utf8').on('data', (text: string) => this.log.write(text));
    ffmpeg.stderr.on('close', () => {
      this.reports.close();
      this.sound.end();
    });
    this.takeSound(ffmpeg);
    const models = new FrameReader(ffmpeg.output(0), this.options.format);
    this.models = models;
    const pictures = multipartBodies(ffmpeg.output(1), this.options.maxJpegBytes ?? 16 * 2 ** 20);
    try {
      for (;;) {
        watchdog.feed();
        const frame = await this.nextFrame(models, pictures);
        watchdog.rest();
        doubt.rest();
        if (frame === null || aborted) break;
        yield frame;
      }
      const exitCode = await this.exitOf(ffmpeg);
      if (aborted) return;
      ffmpeg.assertStarted();
      if (exitCode === 0 && this.options.playback.pace === 'file' && this.stats.frames > 0) return;
      throw explainEnd({
        exitCode,
        stalledMs,
        frames: this.stats.frames,
        fault: this.freshFault(),
        log: this.log.lines(),
      });
    } finally {
      watchdog.rest();
      doubt.rest();
      clearInterval(budget);
      signal.removeEventListener('abort', onAbort);
      await ffmpeg.stop(this.options.killGraceMs);
    }
  }

  /**
   * The sound, from the moment {@link frames} is read on until the run ends; nothing for a source without any. Takes
   * nothing from the pictures: what is not read within half a minute is dropped and counted. May be read once.
   */
  pcm(): AsyncIterable<SoundChunk> {
    return this.sound;
  }

  /**
   * Hands back the pixels of a frame that nobody looks at any more, for a later frame to be written over them. One that
   * is never handed back is its reader's to keep.
   */
  recycle({ pixels }: CapturedFrame): void {
    this.models?.recycle(pixels);
  }

  /** Always drains the pipe, for ffmpeg would stand still with it full. */
  private takeSound(ffmpeg: FfmpegProcess): void {
    if (this.options.sound !== true) return this.sound.end();
    const pipe = ffmpeg.output(SOUND_OUTPUT);
    pipe.on('data', (bytes: Buffer) => {
      this.sound.write(bytes);
      this.stats.soundDropped = this.sound.dropped;
    });
    // Closed under it when the run is stopped, which the pictures tell already.
    pipe.on('error', () => undefined);
    pipe.on('close', () => this.sound.end());
  }

  private arguments(): string[] {
    const { playback, format, sampleIntervalMs, decode, proxyUrl, sound = false } = this.options;
    return ffmpegArguments({
      ...{ playback, format, sampleIntervalMs, decode, proxyUrl, sound },
      readTimeoutMs: this.stallMs,
      maxPixels: this.options.maxPixels ?? DEFAULT_MAX_PIXELS,
      maxEvidenceWidth: this.options.maxEvidenceWidth ?? 1920,
      reportTag: this.reportTag,
    });
  }

  /** One from each pipe: every output gets every frame in the same order, so the n-th of each belong together. */
  private async nextFrame(
    models: FrameReader,
    pictures: AsyncGenerator<Buffer, void, void>,
  ): Promise<CapturedFrame | null> {
    // The size of a frame in the pipe is known by its report.
    const report = await this.reports.next();
    if (report === null) return null;
    const [pixels, jpeg] = await Promise.all([pieceOf(models.next(report.source)), pieceOf(pictureOf(pictures))]);
    if (pixels === null || jpeg === null) return null;
    const receivedAt = this.clock.now();
    const frame = {
      index: this.stats.frames,
      ptsMs: this.presentationTime(report, receivedAt),
      receivedAt,
      source: report.source,
      pixels,
      jpeg,
    };
    this.stats.frames += 1;
    this.stats.bytes += pixels.length + jpeg.length;
    this.stats.lastFrameAt = receivedAt;
    return frame;
  }

  /** A source without time stamps gets the time at which its frames arrive. */
  private presentationTime(report: FrameReport, receivedAt: number): number {
    const previous = this.lastPtsMs;
    const ptsMs = report.ptsMs ?? (previous ?? 0) + receivedAt - (this.stats.lastFrameAt ?? receivedAt);
    if (previous !== null && ptsMs > previous) {
      const interval = ptsMs - previous;
      this.stats.keyframeIntervalMs = interval;
      this.stats.sparseKeyframes =
        this.options.decode === 'keyframes' &&
        interval > Math.max(SPARSE_KEYFRAMES_MS, 1.5 * this.options.sampleIntervalMs);
    }
    this.lastPtsMs = ptsMs;
    return ptsMs;
  }

  /** ffmpeg has closed an output; it normally follows at once, else it is ended. */
  private async exitOf(ffmpeg: FfmpegProcess): Promise<number | null> {
    const cancel = this.clock.after(this.options.killGraceMs ?? 2_000, () => void ffmpeg.stop(0));
    const code = await ffmpeg.exited;
    cancel();
    return code;
  }

  /** Whether the run has used up what it may; a spent budget is final. */
  private hasSpent(ffmpeg: FfmpegProcess): boolean {
    if (this.freshFault()?.reason === 'budget_exceeded') return true;
    const limit = this.options.maxMemoryBytes ?? MAX_MEMORY_BYTES;
    const used = ffmpeg.pid === undefined ? null : residentBytes(ffmpeg.pid);
    if (used === null || used <= limit) return false;
    const detail = `Decoding took more than ${Math.round(limit / 2 ** 20)} MB of memory.`;
    this.overrun = { reason: 'budget_exceeded', detail, at: this.clock.now() };
    return true;
  }

  private freshFault(): CaptureFault | null {
    if (this.overrun !== null) return this.overrun;
    const fault = this.options.fault?.() ?? null;
    const since = this.stats.lastFrameAt ?? this.stats.startedAt ?? 0;
    return fault !== null && fault.at >= since ? fault : null;
  }
}

/** The next piece; null at the end, also when the pipe was closed under it because the run is being stopped. */
async function pieceOf(piece: Promise<Buffer | null>): Promise<Buffer | null> {
  try {
    return await piece;
  } catch (error) {
    if (closedUnderneath(error)) return null;
    throw error;
  }
}

async function pictureOf(pictures: AsyncGenerator<Buffer, void, void>): Promise<Buffer | null> {
  const { value, done } = await pictures.next();
  return done === true ? null : value;
}

function closedUnderneath(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 'ERR_STREAM_PREMATURE_CLOSE';
}
