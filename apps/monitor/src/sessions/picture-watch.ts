import type { ObjectRule, SessionMemory, Zone } from '#libs/contracts/captures.js';
import { messageOf } from '#libs/errors/app-error.js';
import type { Logger } from '#libs/observability/logger.js';
import type { FrameFormat } from '../capture/frame.js';
import type { VideoDetector } from '../detectors/detector.port.js';
import type { StreamBudget } from '../inference/inference-budget.js';
import { KEEP_RATIO } from '../pipeline/appearance.js';
import { ObjectPipeline } from '../pipeline/object-pipeline.js';
import type { Closed, Opened } from '../pipeline/pipeline.types.js';
import { withinZones } from '../pipeline/zones.js';
import { MotionGate } from '../samplers/motion-gate.js';
import type { TimedFrame } from './capture-run.js';
import type { SessionFigures } from './session-figures.js';
import type { SessionSink } from './session-sink.js';
import type { SessionStatus } from './session-status.js';

/** So many inspections in a row that fail make the stream's video degraded. */
const MOST_DETECTOR_FAILURES = 3;
/** What was found holds for pictures without motion so long at most, ms of stream time. */
const LONGEST_REUSE_MS = 5_000;

/** What looking at a stream takes. */
export interface PictureWatchParts {
  streamId: string;
  session: number;
  detector: VideoDetector;
  /** The watch list, and the zones of this stream, at this moment. */
  rules: () => readonly ObjectRule[];
  zones: () => readonly Zone[];
  status: SessionStatus;
  figures: SessionFigures;
  sink: Pick<SessionSink, 'opened' | 'closed' | 'inspected'>;
  /** The stream's part of the inference budget; every frame is inspected when unset. */
  budget?: StreamBudget | undefined;
  /** Gives what the session before has left, once; there was none when unset. */
  memory?: (() => Promise<SessionMemory | null>) | undefined;
  logger: Logger;
}

/** What the last inspection found. */
interface Found {
  objects: Awaited<ReturnType<VideoDetector['inspect']>>;
  /** Lowest score that was asked for. */
  least: number;
  streamTimeMs: number;
}

/** Looks at the frames of one stream: inspects, leaves out what lies outside the zones, confirms, records. */
export class PictureWatch {
  private readonly pipeline: ObjectPipeline;
  private readonly gate = new MotionGate();
  private last: Found | null = null;
  private failedInspections = 0;
  /** What the session before reported; null until something is to be reported. */
  private before: SessionMemory['rules'] | null = null;
  private left: SessionMemory['rules'] | null = null;

  constructor(private readonly parts: PictureWatchParts) {
    this.pipeline = new ObjectPipeline(parts.streamId, parts.session);
  }

  /**
   * Looks at one frame and sets the stream's status by how that went. Of a live stream, a picture without motion is not
   * inspected again: what was found still holds, and counts as seen, so that nothing ends for standing still.
   */
  async inspect(timed: TimedFrame, isLive: boolean, signal: AbortSignal): Promise<void> {
    const { frame, streamTimeMs, wallTimeMs } = timed;
    const { detector, status, figures, sink } = this.parts;
    const rules = this.parts.rules();
    const state = detector.state();
    if (state.state !== 'ready') {
      status.set('degraded', 'model_missing', state.detail);
      return;
    }
    const least = Math.min(...rules.map(({ threshold }) => threshold)) * KEEP_RATIO;
    const known = isLive && rules.length > 0 ? this.known(timed, least) : null;
    if (known === 'shed') {
      figures.shed += 1;
      if (this.failedInspections === 0) status.set('live');
      return;
    }
    let found = known ?? [];
    try {
      if (rules.length > 0 && known === null) {
        found = await detector.inspect(frame, least, signal);
        if (isLive) this.gate.keep();
        this.last = { objects: found, least, streamTimeMs };
      }
      this.failedInspections = 0;
    } catch (error) {
      this.last = null;
      if (!signal.aborted) this.detectorFailed(error);
      return;
    }
    figures.countInspected();
    status.set('live');
    const objects = withinZones(found, frame.source, this.parts.zones());
    const sample = { streamTimeMs, wallTimeMs, ptsMs: frame.ptsMs, objects };
    const { opened, closed, suppressed } = this.pipeline.inspect(sample, rules);
    figures.suppressed += suppressed;
    if (this.pipeline.remembered > 0) this.parts.budget?.hit();
    for (const event of opened) {
      if (await this.isKnown(event)) continue;
      try {
        await sink.opened(event, frame);
        this.pipeline.committed(event.eventId);
      } catch (error) {
        this.pipeline.refused(event.eventId);
        this.parts.logger.error({ eventId: event.eventId, error: messageOf(error) }, 'an event could not be kept');
      }
    }
    await this.close(closed);
    sink.inspected?.(streamTimeMs);
  }

  /** What is in a frame without inspecting it: what was there before, or `shed`; null when it is to be inspected. */
  private known({ frame, streamTimeMs }: TimedFrame, least: number): Found['objects'] | 'shed' | null {
    const { detector, budget, figures } = this.parts;
    const format: FrameFormat | null = detector.frameFormat;
    const change = format === null ? 'moved' : this.gate.look(frame.pixels, format);
    const { last } = this;
    const isFresh = last !== null && last.least <= least && streamTimeMs - last.streamTimeMs < LONGEST_REUSE_MS;
    if (change === 'still' && isFresh && streamTimeMs > last.streamTimeMs && this.pipeline.isSettled) {
      budget?.skip();
      figures.still += 1;
      return last.objects;
    }
    return (budget?.take(change === 'cut') ?? true) ? null : 'shed';
  }

  /** What of this session the next one should know. */
  get memory(): SessionMemory['rules'] {
    return this.left ?? this.pipeline.memory();
  }

  /** The session is over: ends what lasts. */
  async end(): Promise<void> {
    this.left = this.pipeline.memory();
    await this.close(this.pipeline.end());
  }

  /** Whether the session before has reported it, or has begun the cooldown that it falls into. */
  private async isKnown(event: Opened): Promise<boolean> {
    this.before ??= (await this.parts.memory?.())?.rules ?? [];
    const known = this.before.find(({ ruleId }) => ruleId === event.rule.id);
    return known !== undefined && this.pipeline.recognised(event, known);
  }

  private detectorFailed(error: unknown): void {
    const { streamId, figures, logger, status } = this.parts;
    figures.detectorFailures += 1;
    this.failedInspections += 1;
    logger.warn({ streamId, error: messageOf(error) }, 'a frame could not be inspected');
    if (this.failedInspections >= MOST_DETECTOR_FAILURES) status.set('degraded', 'detector_failed', messageOf(error));
  }

  private async close(events: readonly Closed[]): Promise<void> {
    for (const event of events) {
      await this.parts.sink.closed(event).catch((error: unknown) => {
        this.parts.logger.error({ eventId: event.eventId, error: messageOf(error) }, 'the end of an event was lost');
      });
    }
  }
}
