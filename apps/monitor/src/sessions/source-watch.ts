import { setTimeout as wait } from 'node:timers/promises';
import type { CaptureJob } from '#libs/contracts/captures.js';
import { messageOf } from '#libs/errors/app-error.js';
import type { Logger } from '#libs/observability/logger.js';
import { Backoff } from '../capture/backoff.js';
import type { FrameFormat } from '../capture/frame.js';
import type { EgressLane } from '../egress/egress-lane.js';
import { AirWatch } from '../platforms/air-watch.js';
import type { OriginPace } from '../platforms/origin-pace.js';
import type { Platform, Playback } from '../platforms/platform.port.js';
import { Renewal } from '../platforms/renewal.js';
import { CaptureRun, type TimedFrame } from './capture-run.js';
import { diagnose, isOffAir, maySoundBeWhy, mayHaveExpired } from './diagnosis.js';
import type { SessionFigures } from './session-figures.js';
import type { SessionStatus } from './session-status.js';
import type { SoundWatch } from './sound-watch.js';
import type { StreamClock } from './stream-clock.js';

/** Longest single wait of a timer, ms. */
const LONGEST_WAIT_MS = 86_400_000;
const NO_SOUND = 'The sound cannot be decoded; the picture is watched without it.';

/** What capturing a stream takes. */
export interface SourceWatchParts {
  job: CaptureJob;
  platform: Platform;
  lane: EgressLane;
  /** How frames are wanted at this moment. */
  format: () => FrameFormat;
  /** Null when the sound is not listened to. */
  sound: SoundWatch | null;
  /** Takes a frame. */
  onFrame: (frame: TimedFrame, signal: AbortSignal) => Promise<void>;
  status: SessionStatus;
  figures: SessionFigures;
  clock: StreamClock;
  ffmpegPath: string;
  sampleIntervalMs: number;
  /** Longest silence of a live stream, ms; the capture's own rule when unset. */
  stallMs?: number;
  now: () => number;
  /** From 0 (included) to 1 (not). */
  random: () => number;
  /** Shared by the streams of the process; nobody waits for the others when unset. */
  pace?: OriginPace;
  /** When playbacks are renewed; as the platforms' room has it when unset. */
  renewal?: Renewal;
  logger: Logger;
}

/** Resolves and captures one stream again and again: renews what expires, tells faults apart, waits between tries. */
export class SourceWatch {
  private decode: 'keyframes' | 'full' = 'keyframes';
  private readonly backoff: Backoff;
  private readonly renewal: Renewal;
  private readonly air: AirWatch;
  /** Runs that failed since the last frame. */
  private failedRuns = 0;
  private firstFrameAt: number | null = null;
  /** When the newest try began, epoch ms. */
  private triedAt = 0;
  private run: CaptureRun | null = null;
  private playback: Playback | null = null;

  constructor(private readonly parts: SourceWatchParts) {
    const { longestWaitMs: longestMs } = parts.platform;
    this.backoff = new Backoff(parts.random, longestMs === undefined ? {} : { longestMs });
    this.renewal = parts.renewal ?? new Renewal(parts.now, parts.random);
    this.air = new AirWatch(parts.now);
  }

  /** Process id of the newest ffmpeg; null before the first. */
  get ffmpegPid(): number | null {
    return this.run?.stats.pid ?? null;
  }

  /** Whether the source sends adverts just now, which are not watched. */
  get inIntermission(): boolean {
    return this.playback?.intermission?.() === true;
  }

  /** Whether frames come at the pace of a live stream, not as fast as a file can be read. */
  get isLive(): boolean {
    return this.playback?.pace !== 'file';
  }

  /** Watches until the signal aborts, or to the end of a file. Only a defect rejects. */
  async watch(signal: AbortSignal): Promise<void> {
    const { figures, now } = this.parts;
    while (!signal.aborted) {
      if (await this.attempt(signal)) return;
      figures.restarts += 1;
      const ranMs = this.firstFrameAt === null ? 0 : now() - this.firstFrameAt;
      const { delayMs } = this.backoff.failed(now(), ranMs);
      // Tries are paced, not the pauses between them: what one that brought nothing took is part of the wait.
      const spentMs = this.firstFrameAt === null ? now() - this.triedAt : 0;
      await wait(Math.max(0, delayMs - spentMs), undefined, { signal }).catch(() => undefined);
    }
  }

  /** One resolve, and captures for as long as it can be renewed. @returns whether the session is over. */
  private async attempt(signal: AbortSignal): Promise<boolean> {
    const { status, job, logger, pace } = this.parts;
    this.firstFrameAt = null;
    await pace?.turn(job.url, signal);
    if (signal.aborted) return true;
    this.triedAt = this.parts.now();
    try {
      if (status.change.status === 'pending') status.set('starting');
      let next: Playback | null = await this.resolve(signal);
      while (next !== null && !signal.aborted) {
        this.playback = next;
        next = await this.play(next, signal);
      }
      return signal.aborted || this.playback?.pace === 'file';
    } catch (error) {
      if (signal.aborted) return true;
      const verdict = diagnose(error, this.failedRuns);
      logger.info({ streamId: job.streamId, ...verdict, error: messageOf(error) }, 'capture ended');
      if (this.firstFrameAt === null) pace?.failed(job.url);
      if (isOffAir(error)) this.air.probe(false);
      // A short break of a broadcast is none, and an address that has played before may have expired.
      const blip = isOffAir(error) && this.air.state === 'online';
      const expired = this.firstFrameAt !== null && mayHaveExpired(error);
      status.set(blip || expired ? 'starting' : verdict.status, verdict.reason, verdict.detail);
      this.failedRuns += 1;
      return false;
    }
  }

  private async resolve(signal: AbortSignal): Promise<Playback> {
    const { platform, job, lane } = this.parts;
    const playback = await platform.resolve(job.url, signal, lane);
    this.renewal.resolved(playback.expiresAt);
    return playback;
  }

  /** Captures one playback. @returns the one that takes its place before it expires; null when it is over */
  private async play(playback: Playback, signal: AbortSignal): Promise<Playback | null> {
    const replaced = new AbortController();
    const running = AbortSignal.any([signal, replaced.signal]);
    let next: Playback | null = null;
    const renewing = this.renewed(running).then((renewed) => {
      next = renewed;
      replaced.abort();
    });
    try {
      await this.capture(playback, running);
    } finally {
      replaced.abort();
      await renewing;
    }
    return next;
  }

  /** Resolves anew before the playback expires, beside the capture that goes on. @returns null once it is over */
  private async renewed(signal: AbortSignal): Promise<Playback | null> {
    for (;;) {
      const waitMs = this.renewal.waitMs();
      const asked = await wait(Math.min(waitMs ?? LONGEST_WAIT_MS, LONGEST_WAIT_MS), true, { signal }).catch(
        () => false,
      );
      if (!asked) return null;
      if (waitMs === null || waitMs > LONGEST_WAIT_MS) continue;
      try {
        return await this.resolve(signal);
      } catch (error) {
        if (signal.aborted) return null;
        this.renewal.failed();
        this.parts.logger.warn(
          { streamId: this.parts.job.streamId, error: messageOf(error) },
          'a stream could not be resolved anew before its address expires; it is tried again',
        );
      }
    }
  }

  /** Captures with the sound; where that keeps even a first picture from coming, without. */
  private async capture(playback: Playback, signal: AbortSignal): Promise<void> {
    const { sound } = this.parts;
    if (sound === null) return this.captureAll(playback, null, signal);
    const heardBefore = sound.figures().heardMs;
    const framesBefore = this.parts.figures.captured;
    try {
      await this.captureAll(playback, sound, signal);
    } catch (error) {
      const heard = sound.figures().heardMs > heardBefore;
      const watched = this.parts.figures.captured > framesBefore;
      // A file that has brought pictures is not watched twice.
      if (signal.aborted || heard || (watched && playback.pace === 'file') || !maySoundBeWhy(error)) throw error;
      await this.captureAll(playback, null, signal, () => sound.audio.set('degraded', NO_SOUND));
    }
  }

  private async captureAll(
    playback: Playback,
    sound: SoundWatch | null,
    signal: AbortSignal,
    onFrame?: () => void,
  ): Promise<void> {
    const isSparse = await this.captureOnce(playback, sound, signal, onFrame);
    if (!isSparse || signal.aborted) return;
    this.decode = 'full';
    this.parts.logger.info({ streamId: this.parts.job.streamId }, 'keyframes are far apart: decoding in full');
    await this.captureOnce(playback, sound, signal, onFrame);
  }

  /** One run of ffmpeg. @returns whether it was ended because keyframes are too far apart */
  private async captureOnce(
    playback: Playback,
    sound: SoundWatch | null,
    signal: AbortSignal,
    onFrame?: () => void,
  ): Promise<boolean> {
    const { parts } = this;
    const { figures, lane } = parts;
    const options = {
      ...{ ffmpegPath: parts.ffmpegPath, playback, format: parts.format(), decode: this.decode },
      sampleIntervalMs: parts.sampleIntervalMs,
      proxyUrl: /^https?:/i.test(playback.url) ? lane.proxyUrl : null,
      fault: () => lane.lastFault(),
      ...(parts.stallMs === undefined ? {} : { stallMs: parts.stallMs }),
    };
    const run = new CaptureRun(options, parts.clock, sound, signal);
    this.run = run;
    const droppedBefore = figures.dropped;
    for await (const timed of run.frames()) {
      figures.captured += 1 + droppedBefore + run.dropped - figures.dropped;
      figures.dropped = droppedBefore + run.dropped;
      figures.lastFrameAt = timed.frame.receivedAt;
      if (this.firstFrameAt === null) parts.pace?.worked(parts.job.url);
      this.firstFrameAt ??= timed.frame.receivedAt;
      this.failedRuns = 0;
      this.air.probe(true);
      onFrame?.();
      await parts.onFrame(timed, signal);
      run.done(timed);
      if (run.stats.sparseKeyframes && this.decode === 'keyframes') return true;
    }
    return false;
  }
}
