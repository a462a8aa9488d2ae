import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { AgentPerformance, Dashboard, DetectionSeries, SeriesQuery } from './dashboard.dto.js';
import type { Period } from './period.js';

/** Streams that an agent looks after; all for null. */
const MINE = `($1::uuid IS NULL OR EXISTS (SELECT 1 FROM assignments a WHERE a.stream_id = s.id AND a.agent_id = $1))`;

/** Expression of each thing that detections can be grouped by. */
const KEYS = {
  kind: ['d.kind', 'd.kind'],
  severity: ['d.severity', 'd.severity'],
  stream: ['d.stream_id::text', 's.name'],
  label: ['lower(d.label)', 'lower(d.label)'],
  verdict: [`coalesce(d.verdict, 'none')`, `coalesce(d.verdict, 'none')`],
} as const satisfies Record<SeriesQuery['by'], readonly [string, string]>;

type Fields<T, Names extends keyof T> = Pick<T, Names>;

/** Figures over many rows, read in one statement each. */
@Injectable()
export class DashboardRepository {
  constructor(private readonly dataSource: DataSource) {}

  /** @param agentId only what this agent looks after; null for all */
  async streams(agentId: string | null): Promise<Dashboard['streams']> {
    const rows = await this.dataSource.query<
      { status: Dashboard['streams']['byStatus'][number]['status']; desired: boolean; count: number }[]
    >(`SELECT s.status, s.desired, count(*)::int AS count FROM streams s WHERE ${MINE} GROUP BY 1, 2`, [agentId]);
    const watched = rows.filter(({ desired }) => desired);
    return {
      total: sum(rows),
      monitored: sum(watched),
      byStatus: watched.map(({ status, count }) => ({ status, count })),
    };
  }

  async detections(agentId: string | null, now: Date): Promise<Dashboard['detections']> {
    type Row = Fields<Dashboard['detections']['byKind'][number], 'kind' | 'count'> &
      Fields<Dashboard['detections']['bySeverity'][number], 'severity'> & { recent: number; unreviewed: number };
    const rows = await this.dataSource.query<Row[]>(
      `SELECT d.kind, d.severity, count(*)::int AS count,
         count(*) FILTER (WHERE d.detected_at >= $2::timestamptz - interval '1 hour')::int AS recent,
         count(*) FILTER (WHERE d.verdict IS NULL)::int AS unreviewed
       FROM detections d JOIN streams s ON s.id = d.stream_id
       WHERE d.detected_at >= $2::timestamptz - interval '24 hours' AND d.detected_at <= $2::timestamptz AND ${MINE}
       GROUP BY 1, 2`,
      [agentId, now],
    );
    return {
      lastHour: sum(rows.map(({ recent: count }) => ({ count }))),
      last24Hours: sum(rows),
      byKind: added(rows, 'kind'),
      bySeverity: added(rows, 'severity'),
      unreviewed: sum(rows.map(({ unreviewed: count }) => ({ count }))),
    };
  }

  busiestStreams(agentId: string | null, now: Date): Promise<Dashboard['busiestStreams']> {
    return this.dataSource.query<Dashboard['busiestStreams']>(
      `SELECT s.id AS "streamId", s.name, count(*)::int AS count
       FROM detections d JOIN streams s ON s.id = d.stream_id
       WHERE d.detected_at >= $2::timestamptz - interval '24 hours' AND d.detected_at <= $2::timestamptz AND ${MINE}
       GROUP BY s.id ORDER BY count DESC, s.name LIMIT 10`,
      [agentId, now],
    );
  }

  async agents(): Promise<{ total: number; enabled: number; ids: string[] }> {
    const rows = await this.dataSource.query<{ id: string; enabled: boolean }[]>(
      `SELECT id, disabled_at IS NULL AS enabled FROM users WHERE role = 'agent'`,
    );
    return { total: rows.length, enabled: rows.filter(({ enabled }) => enabled).length, ids: rows.map(({ id }) => id) };
  }

  async unassignedStreams(): Promise<number> {
    const [row] = await this.dataSource.query<{ count: number }[]>(
      `SELECT count(*)::int AS count FROM streams s
       WHERE s.desired AND NOT EXISTS (SELECT 1 FROM assignments a WHERE a.stream_id = s.id)`,
    );
    return row?.count ?? 0;
  }

  /** Detections over time, the largest lines first. */
  async series(
    agentId: string | null,
    { from, to }: Period,
    { by, bucket, streamId }: SeriesQuery,
  ): Promise<DetectionSeries['series']> {
    const [key, name] = KEYS[by];
    const rows = await this.dataSource.query<{ key: string; name: string; at: Date; count: number; total: number }[]>(
      `WITH point AS (
         SELECT ${key} AS key, ${name} AS name, date_trunc($4, d.detected_at, 'UTC') AS at, count(*)::int AS count
         FROM detections d JOIN streams s ON s.id = d.stream_id
         WHERE d.detected_at >= $2 AND d.detected_at < $3 AND ($5::uuid IS NULL OR d.stream_id = $5) AND ${MINE}
         GROUP BY 1, 2, 3
       ), line AS (
         SELECT key, sum(count)::int AS total FROM point GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 20
       )
       SELECT p.key, p.name, p.at, p.count, l.total FROM point p JOIN line l USING (key)
       ORDER BY l.total DESC, p.key, p.at`,
      [agentId, from, to, bucket, streamId ?? null],
    );
    const lines = new Map<string, DetectionSeries['series'][number]>();
    for (const { at, count, ...line } of rows) {
      const known = lines.get(line.key) ?? { ...line, points: [] };
      known.points.push({ at: at.toISOString(), count });
      lines.set(line.key, known);
    }
    return [...lines.values()];
  }

  /** What an agent did with what it was told. */
  async performance(agentId: string, period: Period): Promise<Omit<AgentPerformance, 'agentId' | 'from' | 'to'>> {
    const parameters = [agentId, period.from, period.to];
    const told = `
      WITH told AS (
        SELECT n.created_at AS at, d.kind, n.read_at IS NOT NULL AS acknowledged,
          extract(epoch FROM n.read_at - n.created_at) * 1000 AS wait,
          EXISTS (SELECT 1 FROM verdicts v WHERE v.detection_id = n.detection_id AND v.user_id = $1) AS judged
        FROM notifications n JOIN detections d ON d.id = n.detection_id
        WHERE n.user_id = $1 AND n.created_at >= $2 AND n.created_at < $3
      )`;
    const figures = `count(*)::int AS notified, count(*) FILTER (WHERE acknowledged)::int AS acknowledged,
      count(*) FILTER (WHERE judged)::int AS verdicts`;
    const waits = `percentile_cont(0.5) WITHIN GROUP (ORDER BY wait) AS p50,
      percentile_cont(0.95) WITHIN GROUP (ORDER BY wait) AS p95`;
    type Kind = AgentPerformance['byKind'][number];
    const [all] = await this.dataSource.query<Omit<Kind, 'kind'>[]>(
      `${told} SELECT ${figures}, ${waits} FROM told`,
      parameters,
    );
    const byKind = await this.dataSource.query<Kind[]>(
      `${told} SELECT kind, ${figures}, ${waits} FROM told GROUP BY kind ORDER BY kind`,
      parameters,
    );
    const timeline = await this.dataSource.query<({ at: Date } & Omit<Kind, 'kind' | 'p50' | 'p95'>)[]>(
      `${told} SELECT date_trunc('day', at, 'UTC') AS at, ${figures} FROM told GROUP BY 1 ORDER BY 1`,
      parameters,
    );
    const given = await this.dataSource.query<{ verdict: 'true' | 'false' | 'unsure'; count: number }[]>(
      `SELECT verdict, count(*)::int AS count FROM verdicts
       WHERE user_id = $1 AND created_at >= $2 AND created_at < $3 GROUP BY 1`,
      parameters,
    );
    const verdicts = { true: 0, false: 0, unsure: 0 };
    for (const { verdict, count } of given) verdicts[verdict] = count;
    const { notified = 0, acknowledged = 0, verdicts: judged = 0, p50 = null, p95 = null } = all ?? {};
    return {
      ...{ notified, acknowledged, verdicts, byKind },
      verdictRate: notified === 0 ? null : judged / notified,
      timeToAcknowledge: { p50, p95 },
      timeline: timeline.map(({ at, ...point }) => ({ at: at.toISOString(), ...point })),
    };
  }
}

function sum(rows: readonly { count: number }[]): number {
  return rows.reduce((total, { count }) => total + count, 0);
}

/** Rows with the same value of a field put together. */
function added<Row extends { count: number }, Field extends keyof Row>(
  rows: readonly Row[],
  field: Field,
): (Pick<Row, Field> & { count: number })[] {
  const counts = new Map<Row[Field], number>();
  for (const row of rows) counts.set(row[field], (counts.get(row[field]) ?? 0) + row.count);
  return [...counts].map(([value, count]) => ({ [field]: value, count }) as Pick<Row, Field> & { count: number });
}
