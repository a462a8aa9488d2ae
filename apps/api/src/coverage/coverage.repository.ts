import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { CoveragePart, CoverageSpan, ReportedGap } from '#libs/contracts/coverage.js';
import type { CoverageObserved } from '#libs/contracts/facts.js';
import type { Transaction } from '../database/transaction.js';
import type { SaidSpan, Stretch } from './ledger.js';

/** What is known of one part of one stream. */
export interface PartRecord {
  streamId: string;
  part: CoveragePart;
  /** In which it should be watched. One that lasts ends with the window. */
  periods: Stretch[];
  spans: SaidSpan[];
}

interface SpanRow {
  stream_id: string;
  part: CoveragePart;
  session: string;
  started_at: Date;
  ended_at: Date;
  gap: ReportedGap | null;
  is_last: boolean;
}

interface PeriodRow {
  stream_id: string;
  part: CoveragePart;
  started_at: Date;
  ended_at: Date | null;
}

/** What should be watched, and what monitors said that they watched. */
@Injectable()
export class CoverageRepository {
  constructor(private readonly dataSource: DataSource) {}

  /**
   * Keeps what was said; what was said before changes nothing, unless a span has grown. Of streams that are no more
   * nothing is kept. Sums of past hours that it is about are marked as stale.
   */
  async store(tx: Transaction, facts: readonly CoverageObserved[]): Promise<void> {
    const rows = [...newestOf(facts).values()];
    if (rows.length === 0) return;
    await tx.query(
      `WITH said AS (
         SELECT s.* FROM jsonb_to_recordset($1::jsonb) AS s (
           "streamId" uuid, part text, session bigint, "startedAt" timestamptz, "endedAt" timestamptz, gap text,
           "monitorId" text, "isLast" boolean)
         JOIN streams ON streams.id = s."streamId"
       ), stored AS (
         INSERT INTO coverage_spans AS c (stream_id, part, started_at, session, ended_at, gap, monitor_id, is_last)
         SELECT "streamId", part, "startedAt", session, "endedAt", gap, "monitorId", "isLast" FROM said ORDER BY 1, 2, 3, 4
         ON CONFLICT (stream_id, part, started_at, session) DO UPDATE
           SET ended_at = greatest(c.ended_at, excluded.ended_at), is_last = c.is_last OR excluded.is_last
           WHERE excluded.ended_at > c.ended_at OR excluded.is_last AND NOT c.is_last
         RETURNING stream_id, started_at
       )
       INSERT INTO coverage_stale_hours AS h (stream_id, hour)
       SELECT DISTINCT stream_id, date_trunc('hour', started_at, 'UTC') FROM stored
       WHERE started_at < date_trunc('hour', now(), 'UTC') ORDER BY 1, 2
       ON CONFLICT (stream_id, hour) DO UPDATE SET marks = h.marks + 1`,
      [JSON.stringify(rows)],
    );
  }

  /**
   * Everything that the account of a window takes: periods that touch it, spans that touch it, and of each part the
   * last span before.
   * @param parts all when left out
   */
  async records(
    streamIds: readonly string[],
    { from, to }: Stretch,
    parts: readonly CoveragePart[] = ['video', 'audio', 'speech', 'chat'],
    tx: Transaction = this.dataSource.manager,
  ): Promise<PartRecord[]> {
    const window = [streamIds, parts, new Date(from), new Date(to)];
    const periods = await tx.query<PeriodRow[]>(
      `SELECT stream_id, part, started_at, ended_at FROM watch_periods
       WHERE stream_id = ANY($1::uuid[]) AND part = ANY($2::text[]) AND started_at < $4
         AND (ended_at IS NULL OR ended_at > $3) ORDER BY stream_id, part, started_at`,
      window,
    );
    const records = new Map<string, PartRecord>();
    for (const { stream_id: streamId, part, started_at, ended_at } of periods) {
      const key = `${streamId} ${part}`;
      const record = records.get(key) ?? { streamId, part, periods: [], spans: [] };
      records.set(key, record);
      record.periods.push({ from: started_at.getTime(), to: ended_at?.getTime() ?? to });
    }
    // No span goes beyond its hour.
    const spans = await tx.query<SpanRow[]>(
      `SELECT c.* FROM unnest($1::uuid[]) AS s (id) CROSS JOIN unnest($2::text[]) AS p (part)
       CROSS JOIN LATERAL (
         SELECT stream_id, part, session, started_at, ended_at, gap, is_last FROM coverage_spans
         WHERE stream_id = s.id AND part = p.part AND started_at >= date_trunc('hour', $3::timestamptz, 'UTC')
           AND started_at < $4
         UNION ALL
         (SELECT stream_id, part, session, started_at, ended_at, gap, is_last FROM coverage_spans
          WHERE stream_id = s.id AND part = p.part AND started_at < date_trunc('hour', $3::timestamptz, 'UTC')
          ORDER BY started_at DESC LIMIT 1)
       ) AS c`,
      window,
    );
    for (const row of spans) records.get(`${row.stream_id} ${row.part}`)?.spans.push(spanOf(row));
    return [...records.values()];
  }
}

/** Of each span that was said several times the longest; a session's last spans are those of its last word. */
function newestOf(facts: readonly CoverageObserved[]): Map<string, StoredSpan> {
  const newest = new Map<string, StoredSpan>();
  for (const { streamId, session, monitorId, isLast, spans } of facts) {
    for (const span of spans) {
      const key = [streamId, span.part, session, span.startedAt].join(' ');
      const known = newest.get(key);
      const endedAt = Math.max(span.endedAt, known?.endedAt.getTime() ?? 0);
      newest.set(key, {
        ...{ streamId, part: span.part, session, monitorId, gap: known === undefined ? span.gap : known.gap },
        ...{
          startedAt: new Date(span.startedAt),
          endedAt: new Date(endedAt),
          isLast: isLast || known?.isLast === true,
        },
      });
    }
  }
  return newest;
}

interface StoredSpan extends Pick<CoverageSpan, 'part' | 'gap'>, Pick<CoverageObserved, 'streamId' | 'session'> {
  monitorId: string;
  isLast: boolean;
  startedAt: Date;
  endedAt: Date;
}

function spanOf({ session, started_at, ended_at, gap, is_last: isLast }: SpanRow): SaidSpan {
  return { from: started_at.getTime(), to: ended_at.getTime(), session: Number(session), gap, isLast };
}
