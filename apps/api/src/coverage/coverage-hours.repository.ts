import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { CoveragePart, GapReason } from '#libs/contracts/coverage.js';
import { TransactionRunner } from '../database/transaction.js';
import type { Period } from '../dashboard/period.js';
import type { CoverageSeriesQuery } from './coverage.dto.js';
import { CoverageRepository } from './coverage.repository.js';
import { ledgerOf, NOTHING_THERE } from './ledger.js';

const HOUR_MS = 3_600_000;
/** Hours of streams whose sums are made in one transaction, and such transactions in a row. */
const [BATCH, MOST_BATCHES] = [500, 100];
/** Sums are made up for so many hours back, should nobody have made them. */
const MOST_HOURS_BACK = 31 * 24;

/** Lines of a chart. */
const MOST_LINES = 20;

/** Time of one line of a chart in one state. */
export interface SeriesPoint {
  /** The part, or the id of the stream. */
  key: string;
  name: string;
  part: CoveragePart;
  /** Null where it was watched. */
  gap: GapReason | null;
  at: Date;
  ms: number;
}

/** What coverage comes to by the hour: made from what was said, made anew when more is said. */
@Injectable()
export class CoverageHoursRepository {
  constructor(
    private readonly dataSource: DataSource,
    private readonly transactions: TransactionRunner,
    private readonly coverage: CoverageRepository,
  ) {}

  /** Brings the sums up to date: the hour that runs, the one before for a while, and whatever was marked since. */
  async bringUpToDate(now: number, knownUntil: number): Promise<void> {
    await this.dataSource.query(
      `INSERT INTO coverage_stale_hours AS h (stream_id, hour)
       SELECT DISTINCT p.stream_id, hour FROM generate_series(
         greatest(
           date_trunc('hour', $1::timestamptz, 'UTC') - make_interval(hours => $2),
           least(
             coalesce((SELECT max(hour) FROM coverage_hours),
                      (SELECT date_trunc('hour', min(started_at), 'UTC') FROM watch_periods)),
             date_trunc('hour', $1::timestamptz - interval '5 minutes', 'UTC'))),
         date_trunc('hour', $1::timestamptz, 'UTC'), interval '1 hour') AS hour
       JOIN watch_periods p ON p.started_at < hour + interval '1 hour' AND (p.ended_at IS NULL OR p.ended_at > hour)
       ORDER BY 1, 2
       ON CONFLICT (stream_id, hour) DO UPDATE SET marks = h.marks + 1`,
      [new Date(now), MOST_HOURS_BACK],
    );
    for (let round = 0; round < MOST_BATCHES; round += 1) {
      if ((await this.sumBatch(now, knownUntil)) < BATCH) return;
    }
  }

  /**
   * Sums over whole hours, by `bucket`, of the lines that were live and not watched for the longest, those first.
   * @param filter streams and parts; all where undefined
   */
  async series(
    { from, to }: Period,
    { by, bucket, ...filter }: Pick<CoverageSeriesQuery, 'by' | 'bucket' | 'part' | 'streamId'>,
  ): Promise<SeriesPoint[]> {
    const key = by === 'part' ? 'h.part' : 'h.stream_id::text';
    return this.dataSource.query<SeriesPoint[]>(
      `WITH point AS (
         SELECT ${key} AS key, h.part, h.state, date_trunc($3, h.hour, 'UTC') AS at, sum(h.ms)::float8 AS ms
         FROM coverage_hours h
         WHERE h.hour >= $1 AND h.hour < $2 AND ($4::uuid IS NULL OR h.stream_id = $4)
           AND ($5::text IS NULL OR h.part = $5)
         GROUP BY 1, 2, 3, 4
       ), line AS (
         SELECT key, part, coalesce(sum(ms) FILTER (WHERE state <> ALL($6)), 0) AS blind FROM point
         GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT ${String(MOST_LINES)}
       )
       SELECT key, ${by === 'part' ? 'key' : 's.name'} AS name, part, nullif(state, 'watched') AS gap, at, ms
       FROM point JOIN line USING (key, part) ${by === 'part' ? '' : 'JOIN streams s ON s.id = key::uuid'}
       ORDER BY blind DESC, key, part, at`,
      [from, to, bucket, filter.streamId ?? null, filter.part ?? null, ['watched', ...NOTHING_THERE]],
    );
  }

  /** @returns how many hours of streams were summed. */
  private sumBatch(now: number, knownUntil: number): Promise<number> {
    return this.transactions.run(async (tx) => {
      const [taken] = await tx.query<[{ stream_id: string; hour: Date }[], number]>(
        `DELETE FROM coverage_stale_hours WHERE (stream_id, hour) IN (
           SELECT stream_id, hour FROM coverage_stale_hours ORDER BY hour DESC, stream_id LIMIT $1
           FOR UPDATE SKIP LOCKED)
         RETURNING stream_id, hour`,
        [BATCH],
      );
      const byHour = new Map<number, string[]>();
      for (const { stream_id: id, hour } of taken) {
        byHour.set(hour.getTime(), [...(byHour.get(hour.getTime()) ?? []), id]);
      }
      for (const [hour, streamIds] of byHour) {
        const window = { from: hour, to: Math.min(hour + HOUR_MS, now) };
        const records = await this.coverage.records(streamIds, window, undefined, tx);
        const sums = records.flatMap(({ streamId, part, periods, spans }) => {
          const states = new Map<string, number>();
          for (const { from, to, gap } of ledgerOf(periods, spans, window, knownUntil)) {
            states.set(gap ?? 'watched', (states.get(gap ?? 'watched') ?? 0) + to - from);
          }
          return [...states].map(([state, ms]) => ({ streamId, part, state, ms: Math.round(ms) }));
        });
        await tx.query('DELETE FROM coverage_hours WHERE hour = $1 AND stream_id = ANY($2::uuid[])', [
          new Date(hour),
          streamIds,
        ]);
        await tx.query(
          `INSERT INTO coverage_hours (hour, stream_id, part, state, ms)
           SELECT $1, s."streamId", s.part, s.state, s.ms
           FROM jsonb_to_recordset($2::jsonb) AS s ("streamId" uuid, part text, state text, ms integer)
           JOIN streams ON streams.id = s."streamId"`,
          [new Date(hour), JSON.stringify(sums)],
        );
      }
      return taken.length;
    });
  }
}
