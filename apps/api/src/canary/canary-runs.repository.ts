import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { CanaryLeft, CanaryObserved, CanaryOutcome } from '#libs/contracts/canary.js';
import { CoveragePart } from '#libs/contracts/coverage.js';
import type { Transaction } from '../database/transaction.js';

/** One part of a run, as it is kept. */
export interface PartRow {
  part: CoveragePart;
  outcome: CanaryOutcome;
  reason: string;
  /** From on air to the commit, and to the sockets of admins, ms; null for what was not found. */
  commitMs: number | null;
  toldMs: number | null;
}

/** One run, parts that were not told yet left out. */
export interface RunRow {
  runId: string;
  monitorId: string;
  startedAt: Date;
  parts: PartRow[];
}

const PARTS = CoveragePart.options.length;
/** Ms from on air to another moment; never less than nothing, for the clocks are those of two machines. */
const since = (column: string): string =>
  `CASE WHEN ${column} > aired_at THEN round(extract(epoch FROM ${column} - aired_at) * 1000)
        WHEN ${column} <= aired_at THEN 0 END`;
const PART = `jsonb_build_object('part', part, 'outcome', outcome, 'reason', reason,
  'commitMs', ${since('committed_at')}, 'toldMs', ${since('told_at')})`;
const RUN = `run_id AS "runId", monitor_id AS "monitorId", started_at AS "startedAt",
  jsonb_agg(${PART} ORDER BY array_position(ARRAY['video', 'audio', 'speech', 'chat'], part)) AS parts`;

/** What became of canaries. */
@Injectable()
export class CanaryRunsRepository {
  constructor(private readonly dataSource: DataSource) {}

  /** @returns those that were not there yet. */
  async store(tx: Transaction, facts: readonly CanaryObserved[]): Promise<CanaryObserved[]> {
    const rows = facts.map(({ airedAt, foundAt, startedAt, ...fact }) => ({
      ...fact,
      startedAt: new Date(startedAt),
      airedAt: airedAt === null ? null : new Date(airedAt),
      foundAt: foundAt === null ? null : new Date(foundAt),
    }));
    const stored = await tx.query<{ runId: string; part: string }[]>(
      `INSERT INTO canary_runs (run_id, monitor_id, part, outcome, reason, started_at, aired_at, found_at)
       SELECT f."runId", f."monitorId", f.part, f.outcome, f.reason, f."startedAt", f."airedAt", f."foundAt"
       FROM jsonb_to_recordset($1::jsonb) AS f ("runId" uuid, "monitorId" text, part text, outcome text, reason text,
            "startedAt" timestamptz, "airedAt" timestamptz, "foundAt" timestamptz)
       ON CONFLICT DO NOTHING RETURNING run_id AS "runId", part`,
      [JSON.stringify(rows)],
    );
    const keys = new Set(stored.map(({ runId, part }) => `${runId} ${part}`));
    // A fact that comes twice in one batch is told once.
    return facts.filter(({ runId, part }) => keys.delete(`${runId} ${part}`));
  }

  /** Notes when a part was committed and told. */
  async told(runId: string, part: CoveragePart, committedAt: Date, toldAt: Date): Promise<void> {
    await this.dataSource.query(
      'UPDATE canary_runs SET committed_at = $3, told_at = $4 WHERE run_id = $1 AND part = $2 AND told_at IS NULL',
      [runId, part, committedAt, toldAt],
    );
  }

  /** Notes that monitors have stopped in order. */
  async left(tx: Transaction, facts: readonly CanaryLeft[]): Promise<void> {
    await tx.query(
      `UPDATE canary_monitors m SET left_at = l.at FROM unnest($1::text[], $2::timestamptz[]) AS l (id, at)
       WHERE m.monitor_id = l.id`,
      [facts.map(({ monitorId }) => monitorId), facts.map(({ at }) => new Date(at))],
    );
  }

  /** Runs of all monitors, newest first. */
  recent(limit: number): Promise<RunRow[]> {
    return this.dataSource.query(
      `SELECT ${RUN} FROM (SELECT * FROM canary_runs ORDER BY started_at DESC, run_id LIMIT $1) AS r
       GROUP BY run_id, monitor_id, started_at ORDER BY started_at DESC, run_id LIMIT $2`,
      [limit * PARTS, limit],
    );
  }

  /** The latest complete run of each of these monitors. */
  latest(monitorIds: readonly string[]): Promise<RunRow[]> {
    return this.dataSource.query(
      `SELECT l.* FROM unnest($1::text[]) AS m (id) CROSS JOIN LATERAL (${latestRun('m.id')}) AS l`,
      [monitorIds],
    );
  }
}

/** The latest complete run of one monitor, and when the last of it was stored. @param monitor an expression of SQL */
export function latestRun(monitor: string): string {
  return `SELECT ${RUN}, max(stored_at) AS "storedAt"
    FROM (SELECT * FROM canary_runs c WHERE c.monitor_id = ${monitor}
          ORDER BY started_at DESC LIMIT ${String(PARTS * 3)}) AS r
    GROUP BY run_id, monitor_id, started_at HAVING count(*) = ${String(PARTS)}
    ORDER BY started_at DESC LIMIT 1`;
}
