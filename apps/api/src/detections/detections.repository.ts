import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { Repository } from 'typeorm';
import type { DetectionClosed, DetectionContext, DetectionOpened } from '#libs/contracts/facts.js';
import type { Modality, Severity } from '#libs/contracts/primitives.js';
import type { Transaction } from '../database/transaction.js';
import { DetectionEntity } from './detection.entity.js';
import { ALL_STREAMS } from './detection-hours.js';

/** A detection with the name of its stream. */
export interface NamedDetection {
  detection: DetectionEntity;
  streamName: string;
}

/** Which detections to read. */
export interface DetectionFilter {
  /** Only those of streams that this agent looks after; null for all. */
  agentId: string | null;
  id?: string | undefined;
  streamId?: string | undefined;
  kind?: Modality | undefined;
  detector?: string | undefined;
  label?: string | undefined;
  severity?: Severity | undefined;
  verdict?: 'true' | 'false' | 'unsure' | 'none' | undefined;
  keep?: boolean | undefined;
  from?: string | undefined;
  to?: string | undefined;
  /** Only those before this sequence number. */
  before: string | null;
  /** Only those after this sequence number, oldest first. */
  after?: string | undefined;
  limit: number;
}

/** The table of detections. */
@Injectable()
export class DetectionsRepository {
  constructor(@InjectRepository(DetectionEntity) private readonly rows: Repository<DetectionEntity>) {}

  /**
   * Inserts events in one statement. Those that are there already, and those of a stream that was deleted since,
   * are left out.
   * @returns the rows that are new, in the order of the facts.
   */
  async insert(tx: Transaction, facts: readonly DetectionOpened[]): Promise<NamedDetection[]> {
    const inserted = await tx.query<{ id: string; seq: string; stream_name: string; created_at: Date }[]>(
      `WITH fact AS (
         SELECT * FROM jsonb_to_recordset($1::jsonb) AS f (
           position integer, "eventId" uuid, "streamId" uuid, session bigint, kind text, "ruleId" uuid,
           "ruleVersion" integer, label text, severity text, confidence double precision, objects jsonb,
           width integer, height integer, "evidenceKey" text, "clipKey" text, detector text, model text, detail text,
           quote jsonb, "segmentId" uuid, chat jsonb, "startedAt" bigint, "detectedAt" bigint,
           "ptsMs" double precision)
       ), inserted AS (
         INSERT INTO detections (id, stream_id, session, kind, rule_id, rule_version, label, severity, confidence,
           objects, frame_width, frame_height, evidence_key, clip_key, detector, model, detail, quote, segment_id, chat,
           started_at, detected_at, pts_ms)
         SELECT f."eventId", f."streamId", f.session, f.kind, f."ruleId", f."ruleVersion", f.label, f.severity,
           f.confidence, f.objects, f.width, f.height, f."evidenceKey", f."clipKey", f.detector, f.model, f.detail,
           nullif(f.quote, 'null'), f."segmentId", nullif(f.chat, 'null'),
           to_timestamp(f."startedAt" / 1000.0), to_timestamp(f."detectedAt" / 1000.0), f."ptsMs"
         FROM fact f JOIN streams s ON s.id = f."streamId"
         ORDER BY f.position
         ON CONFLICT (id) DO NOTHING
         RETURNING id, seq, stream_id, created_at
       )
       SELECT i.id, i.seq, i.created_at, s.name AS stream_name
       FROM inserted i JOIN streams s ON s.id = i.stream_id ORDER BY i.seq`,
      [JSON.stringify(facts.map((fact, position) => recordOf(fact, position)))],
    );
    const byId = new Map(facts.map((fact) => [fact.eventId, fact]));
    return inserted.flatMap(({ id, seq, created_at: createdAt, stream_name: streamName }) => {
      const fact = byId.get(id);
      return fact === undefined ? [] : [{ detection: entityOf(fact, seq, createdAt), streamName }];
    });
  }

  /**
   * Adds the lines that followed a line of chat. Fewer than are there already change nothing, so that an older fact
   * that comes again takes nothing back.
   */
  async addContext(tx: Transaction, facts: readonly DetectionContext[]): Promise<void> {
    await tx.query(
      `UPDATE detections d SET chat = jsonb_set(d.chat, '{after}', f.after)
       FROM (SELECT DISTINCT ON ("eventId") "eventId", after
             FROM jsonb_to_recordset($1::jsonb) AS fact ("eventId" uuid, after jsonb)
             ORDER BY "eventId", jsonb_array_length(after) DESC) f
       WHERE d.id = f."eventId" AND d.chat IS NOT NULL
         AND jsonb_array_length(d.chat->'after') < jsonb_array_length(f.after)`,
      [JSON.stringify(facts)],
    );
  }

  /**
   * Notes the ends of events that are there. A later end of one that has ended counts as well: another session has seen
   * the rest of it. The same fact changes nothing twice.
   */
  async close(tx: Transaction, facts: readonly DetectionClosed[]): Promise<void> {
    await tx.query(
      `UPDATE detections d
       SET ended_at = to_timestamp(f."endedAt" / 1000.0),
           frames = CASE WHEN d.ended_at IS NULL THEN f.frames ELSE d.frames + f.frames END,
           peak = greatest(d.peak, f."peakConfidence")
       FROM (SELECT said."eventId", max(said."endedAt") AS "endedAt", sum(said.frames) AS frames,
                    max(said."peakConfidence") AS "peakConfidence"
             FROM (SELECT DISTINCT * FROM jsonb_to_recordset($1::jsonb) AS fact (
                     "eventId" uuid, "endedAt" bigint, frames integer, "peakConfidence" double precision)) AS said
             JOIN detections k ON k.id = said."eventId"
             WHERE k.ended_at IS NULL OR k.ended_at < to_timestamp(said."endedAt" / 1000.0)
             GROUP BY 1) f
       WHERE d.id = f."eventId"`,
      [JSON.stringify(facts)],
    );
  }

  /** Sets whether a detection stays however old it is. */
  async setKeep(id: string, keep: boolean): Promise<void> {
    await this.rows.update({ id }, { keep });
  }

  /** Detections, newest first, or oldest first with `after`. */
  async list(filter: DetectionFilter): Promise<NamedDetection[]> {
    const { agentId, id, streamId, kind, detector, label, severity, verdict, keep, from, to, before, after, limit } =
      filter;
    const streamIds = agentId === null ? null : await this.streamsOf(agentId);
    const query = this.rows
      .createQueryBuilder('d')
      .innerJoin('streams', 's', 's.id = d.stream_id')
      .addSelect('s.name', 'stream_name')
      .orderBy('d.seq', after === undefined ? 'DESC' : 'ASC')
      .limit(limit);
    // Ids rather than a join: the planner then knows how many rows they have and never reads all of them to sort.
    if (streamIds !== null) query.andWhere('d.stream_id = ANY(:streamIds)', { streamIds });
    if (id !== undefined) query.andWhere('d.id = :id', { id });
    if (streamId !== undefined) query.andWhere('d.stream_id = :streamId', { streamId });
    if (kind !== undefined) query.andWhere('d.kind = :kind', { kind });
    if (detector !== undefined) query.andWhere('d.detector = :detector', { detector });
    if (label !== undefined) query.andWhere('lower(d.label) = lower(:label)', { label });
    if (severity !== undefined) query.andWhere('d.severity = :severity', { severity });
    if (verdict === 'none') query.andWhere('d.verdict IS NULL');
    else if (verdict !== undefined) query.andWhere('d.verdict = :verdict', { verdict });
    if (keep !== undefined) query.andWhere(keep ? 'd.keep' : 'NOT d.keep');
    if (from !== undefined) query.andWhere('d.detected_at >= :from', { from });
    if (to !== undefined) query.andWhere('d.detected_at < :to', { to });
    if (from !== undefined || to !== undefined) {
      const { first, last } = await this.seqsBetween(from, to);
      query.andWhere('d.seq BETWEEN :first AND :last', { first, last });
    }
    if (before !== null) query.andWhere('d.seq < :before', { before });
    if (after !== undefined) query.andWhere('d.seq > :after', { after });
    const { entities, raw } = await query.getRawAndEntities<{ stream_name: string }>();
    return entities.map((detection, index) => ({ detection, streamName: raw[index]?.stream_name ?? '' }));
  }

  private async streamsOf(agentId: string): Promise<string[]> {
    const rows = await this.rows.query<{ stream_id: string }[]>(
      'SELECT stream_id FROM assignments WHERE agent_id = $1',
      [agentId],
    );
    return rows.map(({ stream_id: id }) => id);
  }

  /**
   * Bounds of the sequence numbers of what was detected in a stretch of time: a list in their order begins and ends
   * there, instead of passing by everything that is newer. Empty (1 to 0) when there is nothing.
   */
  private async seqsBetween(
    from: string | undefined,
    to: string | undefined,
  ): Promise<{ first: string; last: string }> {
    const [bounds] = await this.rows.query<{ first: string; last: string }[]>(
      `SELECT coalesce(min(first_seq), 1) AS first, coalesce(max(last_seq), 0) AS last FROM detection_hours
       WHERE dimension = 'kind' AND stream_id = $3
         AND hour >= coalesce(date_trunc('hour', $1::timestamptz, 'UTC'), '-infinity')
         AND hour < coalesce($2::timestamptz, 'infinity')`,
      [from ?? null, to ?? null, ALL_STREAMS],
    );
    return bounds ?? { first: '1', last: '0' };
  }
}

/**
 * A fact as the columns of its row, the JSON names being those of the statement. Spelt out: in a backlog, spreading the
 * fact costs more than all else here, and sends Postgres fields that it has to read past.
 */
function recordOf(fact: DetectionOpened, position: number): object {
  const frame = frameOf(fact);
  const { objects, ptsMs, quote, segmentId, chat } = partsOf(fact);
  return {
    position,
    eventId: fact.eventId,
    streamId: fact.streamId,
    session: fact.session,
    kind: fact.kind,
    ruleId: fact.ruleId,
    ruleVersion: fact.ruleVersion,
    label: fact.label,
    severity: fact.severity,
    confidence: fact.confidence,
    objects,
    width: frame?.width,
    height: frame?.height,
    evidenceKey: fact.evidenceKey,
    clipKey: fact.clipKey,
    detector: fact.detector,
    model: fact.model,
    detail: fact.detail,
    quote,
    segmentId,
    chat,
    startedAt: fact.startedAt,
    detectedAt: fact.detectedAt,
    ptsMs,
  };
}

function entityOf(fact: DetectionOpened, seq: string, createdAt: Date): DetectionEntity {
  return Object.assign(new DetectionEntity(), {
    id: fact.eventId,
    seq,
    streamId: fact.streamId,
    session: String(fact.session),
    kind: fact.kind,
    ruleId: fact.ruleId,
    ruleVersion: fact.ruleVersion,
    label: fact.label,
    severity: fact.severity,
    confidence: fact.confidence,
    frameWidth: frameOf(fact)?.width ?? null,
    frameHeight: frameOf(fact)?.height ?? null,
    evidenceKey: fact.evidenceKey,
    clipKey: fact.clipKey,
    detector: fact.detector,
    model: fact.model,
    detail: fact.detail,
    ...partsOf(fact),
    startedAt: new Date(fact.startedAt),
    detectedAt: new Date(fact.detectedAt),
    endedAt: null,
    frames: null,
    peak: null,
    verdict: null,
    keep: false,
    createdAt,
  } satisfies DetectionEntity);
}

function frameOf(fact: DetectionOpened): { width: number; height: number } | null {
  return fact.kind === 'video' ? fact.frame : null;
}

/** What only findings of one kind have. */
function partsOf(fact: DetectionOpened): Pick<DetectionEntity, 'objects' | 'ptsMs' | 'quote' | 'segmentId' | 'chat'> {
  const none = { objects: [], ptsMs: null, quote: null, segmentId: null, chat: null };
  switch (fact.kind) {
    case 'video':
      return { ...none, objects: fact.objects, ptsMs: fact.ptsMs };
    case 'audio':
      return { ...none, quote: fact.quote, segmentId: fact.segmentId };
    case 'chat':
      return { ...none, quote: fact.quote, chat: { message: fact.message, before: fact.before, after: [] } };
  }
}
