import type { ObjectRule, Zone } from '#libs/contracts/captures.js';
import { messageOf } from '#libs/errors/app-error.js';
import type { Logger } from '#libs/observability/logger.js';
import type { VideoDetector } from '../detectors/detector.port.js';
import { KEEP_RATIO } from '../pipeline/appearance.js';
import { ObjectPipeline } from '../pipeline/object-pipeline.js';
import type { Closed } from '../pipeline/pipeline.types.js';
import { withinZones } from '../pipeline/zones.js';
import type { TimedFrame } from './capture-run.js';
import type { SessionFigures } from './session-figures.js';
import type { SessionSink } from './session-sink.js';
import type { SessionStatus } from './session-status.js';

/** So many inspections in a row that fail make the stream's video degraded. */
const MOST_DETECTOR_FAILURES = 3;

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
  logger: Logger;
}

/** Looks at the frames of one stream: inspects, leaves out what lies outside the zones, confirms, records. */
export class PictureWatch {
  private readonly pipeline: ObjectPipeline;
  private failedInspections = 0;

  constructor(private readonly parts: PictureWatchParts) {
    this.pipeline = new ObjectPipeline(parts.streamId, parts.session);
  }

  /** Looks at one frame and sets the stream's status by how that went. */
  async inspect({ frame, streamTimeMs, wallTimeMs }: TimedFrame, signal: AbortSignal): Promise<void> {
    const { detector, status, figures, sink } = this.parts;
    const rules = this.parts.rules();
    const state = detector.state();
    if (state.state !== 'ready') {
      status.set('degraded', 'model_missing', state.detail);
      return;
    }
    let found: Awaited<ReturnType<VideoDetector['inspect']>> = [];
    try {
      const least = Math.min(...rules.map(({ threshold }) => threshold)) * KEEP_RATIO;
      if (rules.length > 0) found = await detector.inspect(frame, least, signal);
    } catch (error) {
      if (!signal.aborted) this.detectorFailed(error);
      return;
    }
    this.failedInspections = 0;
    figures.countInspected();
    status.set('live');
    const objects = withinZones(found, frame.source, this.parts.zones());
    const sample = { streamTimeMs, wallTimeMs, ptsMs: frame.ptsMs, objects };
    const { opened, closed, suppressed } = this.pipeline.inspect(sample, rules);
    figures.suppressed += suppressed;
    for (const event of opened) {
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

  /** The session is over: ends what lasts. */
  async end(): Promise<void> {
    await this.close(this.pipeline.end());
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
