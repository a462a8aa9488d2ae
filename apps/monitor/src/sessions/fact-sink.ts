import type { CaptureJob } from '#libs/contracts/captures.js';
import type { ChatLine } from '#libs/contracts/chat.js';
import type { DetectionOpened, Fact } from '#libs/contracts/facts.js';
import { messageOf } from '#libs/errors/app-error.js';
import type { EvidenceStore } from '#libs/evidence/evidence-store.js';
import type { Logger } from '#libs/observability/logger.js';
import { noteFinding, noteSpan } from '#libs/observability/tracing.js';
import type { CapturedFrame } from '../capture/frame.js';
import type { Spool } from '../outbox/spool.js';
import type { FindingSink, HeardFinding, ReadFinding, Transcript } from '../pipeline/finding.types.js';
import type { Closed, Opened } from '../pipeline/pipeline.types.js';
import { wavOf } from '../speech/wav.js';
import { EvidenceDesk } from './evidence-desk.js';
import type { SessionSink } from './session-sink.js';
import type { StatusChange } from './session-status.js';

/** What every fact of a session says. */
interface Origin {
  job: CaptureJob;
  session: number;
  monitorId: string;
  /** Id of the detector that looks at the picture, and name of its model. */
  detector: string;
  model: () => string;
}

/** Turns a session's findings into facts: evidence to the store, then the record, fsynced, to the spool. */
export class FactSink implements SessionSink, FindingSink {
  private readonly evidence: EvidenceDesk;

  constructor(
    private readonly origin: Origin,
    private readonly spool: Spool,
    store: EvidenceStore,
    private readonly logger: Logger,
  ) {
    this.evidence = new EvidenceDesk(spool, store, logger);
  }

  status(change: StatusChange): void {
    const { job, monitorId } = this.origin;
    const fact: Fact = { type: 'stream.status', ...this.of, generation: job.generation, monitorId, ...change };
    this.spool.append(fact).catch((error: unknown) => {
      this.logger.error({ type: fact.type, error: messageOf(error) }, 'a fact could not be kept');
    });
  }

  async opened(event: Opened, frame: CapturedFrame): Promise<void> {
    const { detector, model } = this.origin;
    const { eventId, rule, confidence, objects, startedAt, detectedAt, ptsMs } = event;
    const picture = await this.evidence.keep(`${eventId}.jpg`, () => frame.jpeg);
    const fact: DetectionOpened = {
      type: 'detection.opened',
      ...this.of,
      ...{ eventId, kind: 'video', ruleId: rule.id, ruleVersion: rule.version, label: rule.label },
      ...{ severity: rule.severity, confidence, objects, frame: frame.source },
      ...{ evidenceKey: picture?.key ?? null, clipKey: null, detector, model: model(), detail: '' },
      ...{ startedAt, detectedAt, ptsMs },
    };
    await this.spool.append(fact, picture?.bytes ?? 0);
    this.tell(fact);
  }

  async closed({ eventId, endedAt, frames, peakConfidence }: Closed): Promise<void> {
    await this.spool.append({ type: 'detection.closed', ...this.of, eventId, endedAt, frames, peakConfidence });
  }

  async found(finding: HeardFinding | ReadFinding): Promise<void> {
    const keys = { evidenceKey: null, clipKey: null };
    if (finding.kind === 'chat') {
      const read: DetectionOpened = { type: 'detection.opened', ...this.of, ...finding, ...keys };
      await this.spool.append(read);
      this.tell(read);
      return;
    }
    const { pcm, ...rest } = finding;
    const clip = pcm === null ? null : await this.evidence.keep(`${finding.eventId}.wav`, () => wavOf(pcm));
    const fact: DetectionOpened = {
      type: 'detection.opened',
      ...this.of,
      ...rest,
      ...keys,
      clipKey: clip?.key ?? null,
    };
    await this.spool.append(fact, clip?.bytes ?? 0);
    this.tell(fact);
  }

  async over(eventId: string, endedAt: number): Promise<void> {
    await this.spool.append({
      type: 'detection.closed',
      ...this.of,
      ...{ eventId, endedAt, frames: 0, peakConfidence: 1 },
    });
  }

  async followed(eventId: string, after: readonly ChatLine[]): Promise<void> {
    await this.spool.append({ type: 'detection.context', ...this.of, eventId, after: [...after] });
  }

  async written(transcript: Transcript): Promise<void> {
    await this.spool.append({ type: 'transcript.written', ...this.of, ...transcript });
  }

  /** The event's id goes with it from here to the last e-mail: one search finds the whole way. */
  private tell({ eventId, streamId, label, kind, startedAt, detectedAt }: DetectionOpened): void {
    const attributes = { 'vigil.stream.id': streamId, 'vigil.finding.kind': kind };
    noteFinding(eventId, { name: 'finding', startedAt, attributes });
    noteSpan(eventId, { name: 'confirm', startedAt, endedAt: detectedAt });
    noteSpan(eventId, { name: 'spool', startedAt: detectedAt });
    this.logger.info({ correlationId: eventId, streamId, label }, 'found');
  }

  private get of(): { streamId: string; session: number } {
    return { streamId: this.origin.job.streamId, session: this.origin.session };
  }
}
