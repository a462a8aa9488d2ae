import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { Repository, SelectQueryBuilder } from 'typeorm';
import type { TranscriptWritten } from '#libs/contracts/facts.js';
import type { Transaction } from '../database/transaction.js';
import { TranscriptEntity } from './transcript.entity.js';

/** What clients see of a row. */
export type TranscriptRow = Omit<TranscriptEntity, 'session' | 'vadMean' | 'filters' | 'createdAt'>;

/** Which transcripts to read. */
export interface TranscriptFilter {
  /** Only those of streams that this agent looks after; null for all. */
  agentId: string | null;
  streamId?: string | undefined;
  /** Words, in the language of web searches: `"a phrase" or -without`. */
  q?: string | undefined;
  from?: string | undefined;
  to?: string | undefined;
  /** Only those before this sequence number. */
  before: string | null;
  /** Only those after this sequence number, oldest first. */
  after?: string | undefined;
  limit: number;
}

/** What surrounds a word that was found in a headline: control characters, which are taken out of the text before. */
export const MARKS = { start: '\u0002', end: '\u0003' } as const;

/**
 * Stretches of sequence numbers that a search looks at one after the other, null for all that is left: common words fill
 * a page out of the newest stretch, however many transcripts have them; rare ones are looked up in all.
 */
const SEARCHED_AT_ONCE = [16_384n, 262_144n, null] as const;

/** The table of transcripts. */
@Injectable()
export class TranscriptsRepository {
  constructor(@InjectRepository(TranscriptEntity) private readonly rows: Repository<TranscriptEntity>) {}

  /**
   * Inserts segments in one statement. Those that are there already, and those of a stream that was deleted since,
   * are left out.
   * @returns the rows that are new, in the order of the facts.
   */
  async insert(tx: Transaction, facts: readonly TranscriptWritten[]): Promise<TranscriptRow[]> {
    return tx.query<TranscriptRow[]>(
      `WITH inserted AS (
         INSERT INTO transcripts (id, stream_id, session, text, language, engine, model, vad_mean, filters,
           started_at, ended_at)
         SELECT f."segmentId", f."streamId", f.session, f.text, f.language, f.engine, f.model, f."vadMean", f.filters,
           to_timestamp(f."startedAt" / 1000.0), to_timestamp(f."endedAt" / 1000.0)
         FROM jsonb_to_recordset($1::jsonb) AS f (
           position integer, "segmentId" uuid, "streamId" uuid, session bigint, text text, language text, engine text,
           model text, "vadMean" double precision, filters text[], "startedAt" bigint, "endedAt" bigint)
         JOIN streams s ON s.id = f."streamId"
         ORDER BY f.position
         ON CONFLICT (id) DO NOTHING
         RETURNING *
       )
       SELECT id, seq, stream_id AS "streamId", text, language, engine, model, started_at AS "startedAt",
         ended_at AS "endedAt"
       FROM inserted ORDER BY seq`,
      [JSON.stringify(facts.map((fact, position) => ({ ...fact, position })))],
    );
  }

  /** Transcripts, newest first, or oldest first with `after`. */
  async list(filter: TranscriptFilter): Promise<TranscriptRow[]> {
    if (filter.q === undefined) return (await this.select(filter)).getMany();
    const found: TranscriptRow[] = [];
    let before = filter.before ?? (await this.seqAfter(filter.to));
    for (const [stretch, width] of SEARCHED_AT_ONCE.entries()) {
      // So few in the newest stretch that the second, 16 times as long, would not fill the page either.
      if (stretch === 1 && found.length * 16 < filter.limit) continue;
      const least = width === null ? null : BigInt(before) - width;
      const query = await this.select({ ...filter, before, limit: filter.limit - found.length });
      if (least !== null) query.andWhere('t.seq >= :least', { least: String(least) });
      found.push(...(await query.getMany()));
      if (found.length === filter.limit || least === null || least <= 1n) break;
      before = String(least);
    }
    return found;
  }

  /** What no sequence number of what was said up to an instant has reached. */
  private async seqAfter(to: string | undefined): Promise<string> {
    if (to !== undefined) return String(BigInt((await this.seqsBetween(undefined, to)).last) + 1n);
    const [row] = await this.rows.query<{ next: string }[]>(
      'SELECT coalesce(max(seq), 0) + 1 AS next FROM transcripts',
    );
    return row?.next ?? '1';
  }

  /** The statement behind {@link list}. */
  async select(filter: TranscriptFilter): Promise<SelectQueryBuilder<TranscriptEntity>> {
    const { agentId, streamId, q, from, to, before, after, limit } = filter;
    const query = this.rows
      .createQueryBuilder('t')
      .orderBy('t.seq', after === undefined ? 'DESC' : 'ASC')
      .limit(limit);
    if (agentId !== null && streamId !== undefined) {
      const assigned = 'EXISTS (SELECT FROM assignments a WHERE a.agent_id = :agentId AND a.stream_id = :streamId)';
      query.andWhere(assigned, { agentId, streamId });
    } else if (agentId !== null) {
      // Ids rather than a join: the planner then knows how many rows they have.
      const rows = await this.rows.query<{ stream_id: string }[]>(
        'SELECT stream_id FROM assignments WHERE agent_id = $1',
        [agentId],
      );
      query.andWhere('t.stream_id = ANY(:streamIds)', { streamIds: rows.map(({ stream_id: id }) => id) });
    }
    if (streamId !== undefined) query.andWhere('t.stream_id = :streamId', { streamId });
    if (q !== undefined) query.andWhere(`t.search @@ websearch_to_tsquery('simple', :q)`, { q });
    if (from !== undefined) query.andWhere('t.started_at >= :from', { from });
    if (to !== undefined) query.andWhere('t.started_at < :to', { to });
    if (from !== undefined || to !== undefined) {
      const { first, last } = await this.seqsBetween(from, to);
      query.andWhere('t.seq BETWEEN :first AND :last', { first, last });
    }
    if (before !== null) query.andWhere('t.seq < :before', { before });
    if (after !== undefined) query.andWhere('t.seq > :after', { after });
    return query;
  }

  /** Bounds of the sequence numbers of what was said in a stretch of time; empty (1 to 0) when there is nothing. */
  private async seqsBetween(
    from: string | undefined,
    to: string | undefined,
  ): Promise<{ first: string; last: string }> {
    const [bounds] = await this.rows.query<{ first: string; last: string }[]>(
      `SELECT coalesce(min(first_seq), 1) AS first, coalesce(max(last_seq), 0) AS last FROM transcript_hours
       WHERE hour >= coalesce(date_trunc('hour', $1::timestamptz, 'UTC'), '-infinity')
         AND hour < coalesce($2::timestamptz, 'infinity')`,
      [from ?? null, to ?? null],
    );
    return bounds ?? { first: '1', last: '0' };
  }

  /** The best stretch of each of these texts, what was found between {@link MARKS}. */
  async headlines(ids: readonly string[], q: string): Promise<Map<string, string>> {
    const rows = await this.rows.query<{ id: string; headline: string }[]>(
      `SELECT id, ts_headline('simple', translate(text, $3 || $4, ''), websearch_to_tsquery('simple', $2),
         'MinWords=12, MaxWords=40, StartSel="' || $3 || '", StopSel="' || $4 || '"') AS headline
       FROM transcripts WHERE id = ANY($1)`,
      [ids, q, MARKS.start, MARKS.end],
    );
    return new Map(rows.map(({ id, headline }) => [id, headline]));
  }
}
