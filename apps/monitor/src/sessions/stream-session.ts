import { setTimeout as wait } from 'node:timers/promises';
import type { CaptureJob, ObjectRule, Zone } from '#libs/contracts/captures.js';
import type { PartReport, SessionReport } from '#libs/contracts/monitors.js';
import { messageOf } from '#libs/errors/app-error.js';
import type { Logger } from '#libs/observability/logger.js';
import { Backoff } from '../capture/backoff.js';
import type { FrameFormat } from '../capture/frame.js';
import type { VideoDetector } from '../detectors/detector.port.js';
import type { EgressLane } from '../egress/egress-lane.js';
import type { Platform, Playback } from '../platforms/platform.port.js';
import { CaptureRun } from './capture-run.js';
import { diagnose, maySoundBeWhy } from './diagnosis.js';
import { PartState } from './part-state.js';
import { PictureWatch } from './picture-watch.js';
import { SessionFigures } from './session-figures.js';
import { SessionSenses, type SensesParts } from './session-senses.js';
import type { SessionSink } from './session-sink.js';
import { SessionStatus, type StatusChange } from './session-status.js';
import { StreamClock } from './stream-clock.js';

/** Frames are captured in this form while there is no model to look at them: the stream's status stays true. */
const BLIND_FORMAT: FrameFormat = { width: 64, height: 64, fit: 'stretch', pad: 0 };
/** How long the engine may take for what was said last in a file, ms. */
const LAST_WORDS_MS = 60_000;
const NO_SOUND = 'The sound cannot be decoded; the picture is watched without it.';

/** What a session works with. */
export interface SessionParts {
  /** Null when no monitor here knows the platform: then there is no picture and no sound. */
  platform: Platform | null;
  lane: EgressLane;
  detector: VideoDetector;
  /** The watch list, and the zones of this stream, at this moment. */
  rules: () => readonly ObjectRule[];
  zones?: () => readonly Zone[];
  sink: SessionSink;
  /** What hears and reads; the picture alone is watched when unset. */
  senses?: SensesParts;
  ffmpegPath: string;
  sampleIntervalMs: number;
  /** Longest silence of a live stream, ms; the capture's own rule when unset. */
  stallMs?: number;
  now: () => number;
  /** From 0 (included) to 1 (not). */
  random: () => number;
  logger: Logger;
}

/** Why a run of the capture ended in order. */
type RunEnd = 'over' | 'decode_full';

/**
 * Watches one stream from the first resolve to the last frame, and its chat beside it: picture, sound and chat run by
 * themselves, and none stops with another.
 */
export class StreamSession {
  private readonly status: SessionStatus;
  private readonly figures: SessionFigures;
  private readonly clock: StreamClock;
  private readonly picture: PictureWatch | null;
  private readonly senses: SessionSenses | null;
  private readonly video: PartState;
  private readonly startedAt: number;
  private decode: 'keyframes' | 'full' = 'keyframes';
  private readonly backoff: Backoff;
  /** Runs that failed since the last frame. */
  private failedRuns = 0;
  private firstFrameAt: number | null = null;
  private current: CaptureRun | null = null;

  /** @param session number of this session, larger than any before it for the stream. */
  constructor(
    readonly job: CaptureJob,
    readonly session: number,
    private readonly parts: SessionParts,
  ) {
    const { now, random, detector, rules, zones = () => [], sink, logger, senses } = parts;
    this.startedAt = now();
    this.status = new SessionStatus((change) => this.changed(change), now);
    this.figures = new SessionFigures(now);
    this.clock = new StreamClock(now);
    this.backoff = new Backoff(random);
    const looks = job.parts.includes('video');
    this.video = new PartState(now, looks);
    const { streamId } = job;
    const { status, figures, clock } = this;
    const watch = { streamId, session, detector, rules, zones, status, figures, sink, logger };
    this.picture = looks ? new PictureWatch(watch) : null;
    const shared = { clock, now, logger, onChatState: (report: PartReport) => this.chatChanged(report) };
    this.senses = senses === undefined ? null : new SessionSenses(job, session, senses, shared);
  }

  /**
   * Runs until the signal aborts, or to the end of a file. Faults of the source are told as status and tried again
   * with back-off; only a defect rejects.
   */
  async run(signal: AbortSignal): Promise<void> {
    const ending = new AbortController();
    const chat = this.senses?.chat?.run(AbortSignal.any([signal, ending.signal]));
    try {
      if (this.captures) await this.watchSource(signal);
      else await this.watchChatAlone(signal);
    } finally {
      ending.abort();
      await chat;
      await this.picture?.end();
      await this.senses?.end(signal.aborted ? 0 : LAST_WORDS_MS);
    }
  }

  /** Process id of the newest ffmpeg of this session; null before the first. */
  get ffmpegPid(): number | null {
    return this.current?.stats.pid ?? null;
  }

  /** Live figures for the heartbeat. */
  report(): SessionReport {
    const { status, reason, detail } = this.status.change;
    const { streamId, generation } = this.job;
    const off = new PartState(this.parts.now, false).report();
    const senses = this.senses?.report();
    return {
      ...{ streamId, session: this.session, generation, status, reason, detail, startedAt: this.startedAt },
      ...this.figures.report(),
      ...{ sound: senses?.sound ?? null, chat: senses?.chat ?? null },
      findingsDropped: senses?.findingsDropped ?? 0,
      parts: { audio: off, speech: off, chat: off, ...senses?.parts, video: this.video.report() },
    };
  }

  /** Whether there is anything to capture for. */
  private get captures(): boolean {
    return this.picture !== null || (this.senses?.sound ?? null) !== null;
  }

  private async watchSource(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      if (await this.attempt(signal)) return;
      this.figures.restarts += 1;
      const ranMs = this.firstFrameAt === null ? 0 : this.parts.now() - this.firstFrameAt;
      const { delayMs } = this.backoff.failed(this.parts.now(), ranMs);
      await wait(delayMs, undefined, { signal }).catch(() => undefined);
    }
  }

  private async watchChatAlone(signal: AbortSignal): Promise<void> {
    if ((this.senses?.chat ?? null) === null) this.status.set('live', null, 'No part of this stream is watched.');
    if (signal.aborted) return;
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  }

  /** One resolve and capture. @returns whether the session is over. */
  private async attempt(signal: AbortSignal): Promise<boolean> {
    this.firstFrameAt = null;
    try {
      if (this.status.change.status === 'pending') this.status.set('starting');
      const { platform } = this.parts;
      if (platform === null) throw new Error('There is no platform to resolve with.');
      const playback = await platform.resolve(this.job.url, signal, this.parts.lane);
      const end = await this.watch(playback, signal);
      if (end === 'decode_full' && !signal.aborted) await this.watch(playback, signal);
      return signal.aborted || playback.pace === 'file';
    } catch (error) {
      if (signal.aborted) return true;
      const verdict = diagnose(error, this.failedRuns);
      this.parts.logger.info({ streamId: this.job.streamId, ...verdict, error: messageOf(error) }, 'capture ended');
      this.status.set(verdict.status, verdict.reason, verdict.detail);
      this.failedRuns += 1;
      return false;
    }
  }

  /** One playback. Where not even a first picture comes with the sound, it is tried without. */
  private async watch(playback: Playback, signal: AbortSignal): Promise<RunEnd> {
    const sound = this.senses?.sound ?? null;
    if (sound === null) return this.runOnce(playback, null, signal);
    try {
      return await this.runOnce(playback, sound, signal);
    } catch (error) {
      if (signal.aborted || this.firstFrameAt !== null || !maySoundBeWhy(error)) throw error;
      const end = this.runOnce(playback, null, signal, () => sound.audio.set('degraded', NO_SOUND));
      return await end;
    }
  }

  /** One run of ffmpeg. */
  private async runOnce(
    playback: Playback,
    sound: SessionSenses['sound'],
    signal: AbortSignal,
    onFrame?: () => void,
  ): Promise<RunEnd> {
    const { parts, figures } = this;
    const options = {
      ffmpegPath: parts.ffmpegPath,
      playback,
      format: (this.picture === null ? null : parts.detector.frameFormat) ?? BLIND_FORMAT,
      sampleIntervalMs: parts.sampleIntervalMs,
      decode: this.decode,
      proxyUrl: /^https?:/i.test(playback.url) ? parts.lane.proxyUrl : null,
      fault: () => parts.lane.lastFault(),
      ...(parts.stallMs === undefined ? {} : { stallMs: parts.stallMs }),
    };
    const run = new CaptureRun(options, this.clock, sound, signal);
    this.current = run;
    const droppedBefore = figures.dropped;
    for await (const timed of run.frames()) {
      figures.captured += 1 + droppedBefore + run.dropped - figures.dropped;
      figures.dropped = droppedBefore + run.dropped;
      figures.lastFrameAt = timed.frame.receivedAt;
      this.firstFrameAt ??= timed.frame.receivedAt;
      this.failedRuns = 0;
      onFrame?.();
      if (this.picture === null) this.status.set('live');
      else await this.picture.inspect(timed, signal);
      if (run.stats.sparseKeyframes && this.decode === 'keyframes') {
        this.decode = 'full';
        parts.logger.info({ streamId: this.job.streamId }, 'keyframes are far apart: decoding in full');
        return 'decode_full';
      }
    }
    return 'over';
  }

  private changed(change: StatusChange): void {
    const { status, detail } = change;
    this.parts.sink.status(change);
    const live = status === 'live' || status === 'degraded';
    this.senses?.chat?.videoLive(live && this.captures);
    if (status === 'pending' || status === 'stopped') return;
    this.video.set(status, detail);
    if (!live) this.senses?.sound?.audio.set(status, detail);
  }

  /** Where chat alone is watched, its state is the stream's. */
  private chatChanged({ state, detail }: PartReport): void {
    if (this.captures) return;
    const reasons = { error: 'forbidden', offline: 'unreachable', degraded: 'unreachable' } as const;
    if (state === 'off') this.status.set('live', null, detail);
    else if (state === 'starting' || state === 'live') this.status.set(state, null, detail);
    else this.status.set(state, reasons[state], detail);
  }
}
