import type { CaptureJob } from '#libs/contracts/captures.js';
import type { Fact } from '#libs/contracts/facts.js';
import { messageOf } from '#libs/errors/app-error.js';
import type { EvidenceStore } from '#libs/evidence/evidence-store.js';
import type { Logger } from '#libs/observability/logger.js';
import type { CapturedFrame } from '../capture/frame.js';
import type { Spool } from '../outbox/spool.js';
import type { Closed, Opened } from '../pipeline/pipeline.types.js';
import type { SessionSink } from './session-sink.js';
import type { StatusChange } from './session-status.js';

/** What every fact of a session says. */
interface Origin {
  job: CaptureJob;
  session: number;
  monitorId: string;
  /** Name of the model that inspects. */
  model: () => string;
}

/** Turns a session's findings into facts: evidence to the store, then the record, fsynced, to the spool. */
export class FactSink implements SessionSink {
  constructor(
    private readonly origin: Origin,
    private readonly spool: Spool,
    private readonly evidence: EvidenceStore,
    private readonly logger: Logger,
  ) {}

  status(change: StatusChange): void {
    const { job, session, monitorId } = this.origin;
    const { streamId, generation } = job;
    this.append({ type: 'stream.status', streamId, session, generation, monitorId, ...change });
  }

  async opened(event: Opened, frame: CapturedFrame): Promise<void> {
    const { job, session, model } = this.origin;
    const { eventId, rule, confidence, objects, startedAt, detectedAt, ptsMs } = event;
    const evidenceKey = await this.keepEvidence(eventId, frame);
    const fact: Fact = {
      type: 'detection.opened',
      eventId,
      streamId: job.streamId,
      session,
      kind: 'video',
      ruleId: rule.id,
      ruleVersion: rule.version,
      label: rule.label,
      severity: rule.severity,
      ...{ confidence, objects },
      frame: frame.source,
      evidenceKey,
      clipKey: null,
      detector: 'yolo',
      model: model(),
      detail: '',
      ...{ startedAt, detectedAt, ptsMs },
    };
    await this.spool.append(fact, evidenceKey === null ? 0 : frame.jpeg.length);
  }

  async closed(event: Closed): Promise<void> {
    const { eventId, endedAt, frames, peakConfidence } = event;
    const { job, session } = this.origin;
    await this.spool.append({
      type: 'detection.closed',
      ...{ eventId, streamId: job.streamId, session, endedAt, frames, peakConfidence },
    });
  }

  /** Under pressure the picture is shed and the record kept. */
  private async keepEvidence(eventId: string, frame: CapturedFrame): Promise<string | null> {
    const key = `${eventId}.jpg`;
    if (this.spool.pressure().shedFrames) {
      this.spool.frameShed();
      return null;
    }
    try {
      await this.evidence.put(key, frame.jpeg);
      return key;
    } catch (error) {
      this.spool.frameShed();
      this.logger.error({ eventId, error: messageOf(error) }, 'an evidence image could not be kept');
      return null;
    }
  }

  private append(fact: Fact): void {
    this.spool.append(fact).catch((error: unknown) => {
      this.logger.error({ type: fact.type, error: messageOf(error) }, 'a fact could not be kept');
    });
  }
}
