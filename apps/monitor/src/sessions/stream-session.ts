import type { CaptureJob, ObjectRule, SessionMemory, Zone } from '#libs/contracts/captures.js';
import type { PartReport, SessionReport } from '#libs/contracts/monitors.js';
import type { Logger } from '#libs/observability/logger.js';
import type { FrameFormat } from '../capture/frame.js';
import type { VideoDetector } from '../detectors/detector.port.js';
import type { InferenceBudget, StreamBudget } from '../inference/inference-budget.js';
import type { EgressLane } from '../egress/egress-lane.js';
import type { OriginPace } from '../platforms/origin-pace.js';
import type { Platform } from '../platforms/platform.port.js';
import type { TimedFrame } from './capture-run.js';
import { PartState } from './part-state.js';
import { PictureWatch } from './picture-watch.js';
import { SessionFigures } from './session-figures.js';
import { SessionSenses, type SensesParts } from './session-senses.js';
import type { SessionSink } from './session-sink.js';
import { SessionStatus, type StatusChange } from './session-status.js';
import { SourceWatch } from './source-watch.js';
import { StreamClock } from './stream-clock.js';

/** Frames are captured in this form while there is no model to look at them: the stream's status stays true. */
const BLIND_FORMAT: FrameFormat = { width: 64, height: 64, fit: 'stretch', pad: 0 };
const ADVERTS = 'The source sends adverts just now, which are not watched.';
/** How long the engine may take for what was said last in a file, ms. */
const LAST_WORDS_MS = 60_000;

/** What a session works with. */
export interface SessionParts {
  /** Null when no monitor here knows the platform: then there is no picture and no sound. */
  platform: Platform | null;
  lane: EgressLane;
  detector: VideoDetector;
  /** Shared by all streams of the process; every frame is inspected when unset. */
  budget?: InferenceBudget;
  /** The watch list, and the zones of this stream, at this moment. */
  rules: () => readonly ObjectRule[];
  zones?: () => readonly Zone[];
  sink: SessionSink;
  /** Gives what the session before has left, once; there was none when unset. */
  memory?: () => Promise<SessionMemory | null>;
  /** Told when the first picture is seen, or the chat when there is nothing else. */
  onSeen?: () => void;
  /** What hears and reads; the picture alone is watched when unset. */
  senses?: SensesParts;
  /** Shared by all streams of the process. */
  pace?: OriginPace;
  ffmpegPath: string;
  sampleIntervalMs: number;
  /** Longest silence of a live stream, ms; the capture's own rule when unset. */
  stallMs?: number;
  now: () => number;
  /** From 0 (included) to 1 (not). */
  random: () => number;
  logger: Logger;
}

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
  private readonly source: SourceWatch | null;
  private readonly startedAt: number;
  private readonly budget: StreamBudget | undefined;
  private hasSeen = false;

  /** @param session number of this session, larger than any before it for the stream. */
  constructor(
    readonly job: CaptureJob,
    readonly session: number,
    private readonly parts: SessionParts,
  ) {
    const { now, detector, rules, zones = () => [], sink, logger, senses, platform } = parts;
    this.startedAt = now();
    this.status = new SessionStatus((change) => this.changed(change), now);
    this.figures = new SessionFigures(now);
    this.clock = new StreamClock(now);
    const looks = job.parts.includes('video');
    this.video = new PartState(now, looks);
    const { streamId } = job;
    const { status, figures, clock } = this;
    if (looks) this.budget = parts.budget?.open(job.priority, 1_000 / parts.sampleIntervalMs);
    const { budget } = this;
    const { memory } = parts;
    const watch = { streamId, session, detector, rules, zones, status, figures, sink, logger, budget, memory };
    this.picture = looks ? new PictureWatch(watch) : null;
    const shared = { clock, now, logger, onChatState: (report: PartReport) => this.chatChanged(report) };
    this.senses = senses === undefined ? null : new SessionSenses(job, session, senses, shared);
    const sound = this.senses?.sound ?? null;
    const onFrame = (frame: TimedFrame, signal: AbortSignal): Promise<void> => this.look(frame, signal);
    const format = (): FrameFormat => (looks ? detector.frameFormat : null) ?? BLIND_FORMAT;
    const captures = platform !== null && (looks || sound !== null);
    const capturing = { ...parts, job, sound, status, figures, clock, onFrame, format };
    this.source = captures ? new SourceWatch({ ...capturing, platform }) : null;
  }

  /**
   * Runs until the signal aborts, or to the end of a file. Faults of the source are told as status and tried again
   * with back-off; only a defect rejects.
   */
  async run(signal: AbortSignal): Promise<void> {
    const ending = new AbortController();
    const chat = this.senses?.chat?.run(AbortSignal.any([signal, ending.signal]));
    try {
      if (this.source !== null) await this.source.watch(signal);
      else await this.watchChatAlone(signal);
    } finally {
      this.budget?.close();
      ending.abort();
      await chat;
      await this.picture?.end();
      await this.senses?.end(signal.aborted ? 0 : LAST_WORDS_MS);
    }
  }

  /** What the next session of the stream needs to know to report nothing twice. */
  get memory(): SessionMemory {
    return { v: 1, rules: this.picture?.memory ?? [] };
  }

  /** Process id of the newest ffmpeg of this session; null before the first. */
  get ffmpegPid(): number | null {
    return this.source?.ffmpegPid ?? null;
  }

  /** The moment of the stream, ms since the session began, that a wall time (epoch ms) belongs to as far as is known. */
  streamTimeOf(wallTimeMs: number): number {
    return this.clock.streamOf(wallTimeMs);
  }

  /** Live figures for the heartbeat. */
  report(): SessionReport {
    const { status, reason, detail } = this.status.change;
    const { streamId, generation } = this.job;
    const off = new PartState(this.parts.now, false).report();
    const senses = this.senses?.report();
    const video = this.video.report();
    const isHidden = this.source?.inIntermission === true;
    if (isHidden && video.state === 'live') Object.assign(video, { state: 'degraded', detail: ADVERTS });
    const granted = isHidden ? null : (this.budget?.granted ?? null);
    if (granted !== null && video.state === 'live') {
      Object.assign(video, { state: 'degraded', detail: shortOf(granted) });
    }
    return {
      ...{ streamId, session: this.session, generation, status, reason, detail, startedAt: this.startedAt },
      ...this.figures.report(),
      grantedFps: granted === null ? null : Math.round(granted * 1e3) / 1e3,
      ...{ sound: senses?.sound ?? null, chat: senses?.chat ?? null },
      findingsDropped: senses?.findingsDropped ?? 0,
      parts: { audio: off, speech: off, chat: off, ...senses?.parts, video },
    };
  }

  private async look(timed: TimedFrame, signal: AbortSignal): Promise<void> {
    if (this.picture !== null) return this.picture.inspect(timed, this.source?.isLive === true, signal);
    this.status.set('live');
    this.parts.sink.inspected?.(timed.streamTimeMs);
  }

  private async watchChatAlone(signal: AbortSignal): Promise<void> {
    if ((this.senses?.chat ?? null) === null) this.status.set('live', null, 'No part of this stream is watched.');
    if (signal.aborted) return;
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  }

  private changed(change: StatusChange): void {
    const { status, detail } = change;
    this.parts.sink.status(change);
    const live = status === 'live' || status === 'degraded';
    this.senses?.chat?.videoLive(live && this.source !== null);
    if (live && !this.hasSeen) {
      this.hasSeen = true;
      this.parts.onSeen?.();
    }
    if (status === 'pending' || status === 'stopped') return;
    this.video.set(status, detail);
    if (!live) this.senses?.sound?.audio.set(status, detail);
  }

  /** Where chat alone is watched, its state is the stream's. */
  private chatChanged({ state, detail }: PartReport): void {
    if (this.source !== null) return;
    const reasons = { error: 'forbidden', offline: 'unreachable', degraded: 'unreachable' } as const;
    if (state === 'off') this.status.set('live', null, detail);
    else if (state === 'starting' || state === 'live') this.status.set(state, null, detail);
    else this.status.set(state, reasons[state], detail);
  }
}

function shortOf(granted: number): string {
  return `Only about ${granted.toFixed(2)} frames a second are inspected: the monitor has more streams than its models keep up with.`;
}
