import { setTimeout as wait } from 'node:timers/promises';
import type { CaptureJob, ObjectRule } from '#libs/contracts/captures.js';
import type { SessionReport } from '#libs/contracts/monitors.js';
import { messageOf } from '#libs/errors/app-error.js';
import type { Logger } from '#libs/observability/logger.js';
import { Capture } from '../capture/capture.js';
import { Backoff } from '../capture/backoff.js';
import type { CapturedFrame, FrameFormat } from '../capture/frame.js';
import type { VideoDetector } from '../detectors/detector.port.js';
import type { EgressLane } from '../egress/egress-lane.js';
import { KEEP_RATIO } from '../pipeline/appearance.js';
import { ObjectPipeline } from '../pipeline/object-pipeline.js';
import type { Platform, Playback } from '../platforms/platform.port.js';
import { LatestFrame } from '../samplers/latest-frame.js';
import { diagnose } from './diagnosis.js';
import { SessionFigures } from './session-figures.js';
import type { SessionSink } from './session-sink.js';
import { SessionStatus } from './session-status.js';
import { StreamClock } from './stream-clock.js';

/** Frames are captured in this form while there is no model to look at them: the stream's status stays true. */
const BLIND_FORMAT: FrameFormat = { width: 64, height: 64, fit: 'stretch', pad: 0 };
/** So many inspections in a row that fail make the stream's video degraded. */
const MOST_DETECTOR_FAILURES = 3;

const OFF = { state: 'off', detail: '', since: 0 } as const;

/** What a session works with. */
export interface SessionParts {
  platform: Platform;
  lane: EgressLane;
  detector: VideoDetector;
  /** The watch list at this moment. */
  rules: () => readonly ObjectRule[];
  sink: SessionSink;
  ffmpegPath: string;
  sampleIntervalMs: number;
  /** Longest silence of a live stream, ms; the capture's own rule when unset. */
  stallMs?: number;
  now: () => number;
  /** From 0 (included) to 1 (not). */
  random: () => number;
  logger: Logger;
}

/** Watches one stream from the first resolve to the last frame: resolves, captures, inspects, confirms, records. */
export class StreamSession {
  private readonly status: SessionStatus;
  private readonly figures: SessionFigures;
  private readonly clock: StreamClock;
  private readonly pipeline: ObjectPipeline;
  private readonly startedAt: number;
  private decode: 'keyframes' | 'full' = 'keyframes';
  private readonly backoff: Backoff;
  /** Runs that failed since the last frame. */
  private failedRuns = 0;
  private firstFrameAt: number | null = null;
  private failedInspections = 0;

  /** @param session number of this session, larger than any before it for the stream. */
  constructor(
    readonly job: CaptureJob,
    readonly session: number,
    private readonly parts: SessionParts,
  ) {
    this.startedAt = parts.now();
    this.status = new SessionStatus((change) => parts.sink.status(change), parts.now);
    this.figures = new SessionFigures(parts.now);
    this.clock = new StreamClock(parts.now);
    this.pipeline = new ObjectPipeline(job.streamId, session);
    this.backoff = new Backoff(parts.random);
  }

  /**
   * Runs until the signal aborts, or to the end of a file. Faults of the source are told as status and tried again
   * with back-off; only a defect rejects.
   */
  async run(signal: AbortSignal): Promise<void> {
    try {
      while (!signal.aborted) {
        if (await this.attempt(signal)) return;
        this.figures.restarts += 1;
        const ranMs = this.firstFrameAt === null ? 0 : this.parts.now() - this.firstFrameAt;
        const { delayMs } = this.backoff.failed(this.parts.now(), ranMs);
        await wait(delayMs, undefined, { signal }).catch(() => undefined);
      }
    } finally {
      await this.close(this.pipeline.end());
    }
  }

  /** Live figures for the heartbeat. */
  report(): SessionReport {
    const { status, reason, detail } = this.status.change;
    const { streamId, generation } = this.job;
    return {
      ...{ streamId, session: this.session, generation, status, reason, detail, startedAt: this.startedAt },
      ...this.figures.report(),
      parts: { video: OFF, audio: OFF, speech: OFF, chat: OFF },
      sound: null,
      chat: null,
      findingsDropped: 0,
    };
  }

  /** One resolve and capture. @returns whether the session is over. */
  private async attempt(signal: AbortSignal): Promise<boolean> {
    this.firstFrameAt = null;
    try {
      if (this.status.change.status === 'pending') this.status.set('starting');
      const playback = await this.parts.platform.resolve(this.job.url, signal, this.parts.lane);
      let again: boolean;
      do again = await this.watch(playback, signal);
      while (again && !signal.aborted);
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

  /** One run of ffmpeg. @returns true when it should start again at once, decoding in full. */
  private async watch(playback: Playback, signal: AbortSignal): Promise<boolean> {
    const { parts } = this;
    const capture = new Capture({
      ffmpegPath: parts.ffmpegPath,
      playback,
      format: parts.detector.frameFormat ?? BLIND_FORMAT,
      sampleIntervalMs: parts.sampleIntervalMs,
      decode: this.decode,
      proxyUrl: /^https?:/i.test(playback.url) ? parts.lane.proxyUrl : null,
      fault: () => parts.lane.lastFault(),
      ...(parts.stallMs === undefined ? {} : { stallMs: parts.stallMs }),
    });
    const frames = capture.frames(signal);
    const latest = new LatestFrame(frames);
    const droppedBefore = this.figures.dropped;
    this.clock.restart();
    for await (const frame of playback.pace === 'file' ? frames : latest) {
      this.figures.captured += 1 + droppedBefore + latest.dropped - this.figures.dropped;
      this.figures.dropped = droppedBefore + latest.dropped;
      this.figures.lastFrameAt = frame.receivedAt;
      await this.inspect(frame, signal);
      if (capture.stats.sparseKeyframes && this.decode === 'keyframes') {
        this.decode = 'full';
        parts.logger.info({ streamId: this.job.streamId }, 'keyframes are far apart: decoding in full');
        return true;
      }
    }
    return false;
  }

  private async inspect(frame: CapturedFrame, signal: AbortSignal): Promise<void> {
    const { detector, rules: currentRules } = this.parts;
    const { streamTimeMs, wallTimeMs } = this.clock.at(frame.ptsMs, frame.receivedAt);
    const rules = currentRules();
    this.firstFrameAt ??= frame.receivedAt;
    this.failedRuns = 0;
    const state = detector.state();
    if (state.state !== 'ready') {
      this.status.set('degraded', 'model_missing', state.detail);
      return;
    }
    let objects: Awaited<ReturnType<VideoDetector['inspect']>> = [];
    try {
      const least = Math.min(...rules.map(({ threshold }) => threshold)) * KEEP_RATIO;
      if (rules.length > 0) objects = await detector.inspect(frame, least, signal);
    } catch (error) {
      if (!signal.aborted) this.detectorFailed(error);
      return;
    }
    this.failedInspections = 0;
    this.figures.countInspected();
    this.status.set('live');
    const sample = { streamTimeMs, wallTimeMs, ptsMs: frame.ptsMs, objects };
    const { opened, closed, suppressed } = this.pipeline.inspect(sample, rules);
    this.figures.suppressed += suppressed;
    for (const event of opened) {
      try {
        await this.parts.sink.opened(event, frame);
        this.pipeline.committed(event.eventId);
      } catch (error) {
        this.pipeline.refused(event.eventId);
        this.parts.logger.error({ eventId: event.eventId, error: messageOf(error) }, 'an event could not be kept');
      }
    }
    await this.close(closed);
    this.parts.sink.inspected?.(streamTimeMs);
  }

  private detectorFailed(error: unknown): void {
    this.figures.detectorFailures += 1;
    this.failedInspections += 1;
    this.parts.logger.warn({ streamId: this.job.streamId, error: messageOf(error) }, 'a frame could not be inspected');
    if (this.failedInspections >= MOST_DETECTOR_FAILURES) {
      this.status.set('degraded', 'detector_failed', messageOf(error));
    }
  }

  private async close(events: Awaited<ReturnType<ObjectPipeline['end']>>): Promise<void> {
    for (const event of events) {
      await this.parts.sink.closed(event).catch((error: unknown) => {
        this.parts.logger.error({ eventId: event.eventId, error: messageOf(error) }, 'the end of an event was lost');
      });
    }
  }
}
