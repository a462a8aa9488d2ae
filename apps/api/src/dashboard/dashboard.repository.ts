import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { AgentPerformance, Dashboard, DetectionSeries, SeriesQuery } from './dashboard.dto.js';
import { ALL_STREAMS } from '../detections/detection-hours.js';
import type { Period } from './period.js';

/** Streams that an agent looks after; all for null. */
const MINE = `($1::uuid IS NULL OR EXISTS (SELECT 1 FROM assignments a WHERE a.stream_id = s.id AND a.agent_id = $1))`;

/** What the value of each thing that detections are counted by is in a detection. */
const KEYS = {
  kind: 'd.kind',
  severity: 'd.severity',
  stream: 'd.stream_id::text',
  label: 'lower(d.label)',
  verdict: `coalesce(d.verdict, 'none')`,
} as const satisfies Record<SeriesQuery['by'], string>;

/**
 * Counts `(key, at, count)` of `by` from `$2` up to `$3` on the streams `$1`: whole hours as they were counted,
 * the rest row by row. `each` tells whether `$1` names streams or is the one that stands for all.
 */
const countsOf = (by: SeriesQuery['by'], each: boolean): string => {
  const rowKey = KEYS[by];
  return `
    whole AS (
      SELECT least(date_trunc('hour', $2::timestamptz + interval '1 hour' - interval '1 microsecond', 'UTC'),
          $3::timestamptz) AS begins,
        greatest(date_trunc('hour', $3::timestamptz, 'UTC'), $2::timestamptz) AS ends
    ), counted AS (
      SELECT h.key, h.hour AS at, h.count
      FROM detection_hours h, whole
      WHERE h.dimension = '${by}' AND h.stream_id = ANY($1::uuid[]) AND h.hour >= begins AND h.hour < ends
        AND h.count > 0
      UNION ALL
      SELECT ${rowKey}, d.detected_at, 1 FROM detections d, whole
      WHERE d.detected_at >= $2::timestamptz AND d.detected_at < begins
        ${each ? 'AND d.stream_id = ANY($1::uuid[])' : ''}
      UNION ALL
      SELECT ${rowKey}, d.detected_at, 1 FROM detections d, whole
      WHERE d.detected_at >= greatest(ends, begins) AND d.detected_at < $3::timestamptz
        ${each ? 'AND d.stream_id = ANY($1::uuid[])' : ''}
    )`;
};

/** Widths of the points of a series, in seconds. */
const WIDTHS = { hour: 3_600, day: 86_400, week: 604_800 } as const satisfies Record<SeriesQuery['bucket'], number>;
/** Where points of every width begin: the first Monday of 1970 in UTC, in seconds. */
const FIRST_MONDAY = 345_600;

/** A line of a series: one row rather than one for each of its points, which would be read and parsed one by one. */
interface Line {
  key: string;
  name: string;
  total: number;
  /** Which widths have anything, counted from the first Monday, and how much. */
  numbers: number[];
  counts: number[];
}

/** Values of a field of a list's items. */
type ValueOf<List extends readonly object[], Field extends keyof List[number]> = List[number][Field];

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

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
    // What was detected in this very millisecond counts.
    const to = new Date(now.getTime() + 1);
    const day = { from: new Date(now.getTime() - DAY_MS), to };
    const streams = await this.streamsOf(agentId);
    const [byKind, bySeverity, byVerdict, recent] = await Promise.all([
      this.totals<ValueOf<Dashboard['detections']['byKind'], 'kind'>>('kind', streams, day),
      this.totals<ValueOf<Dashboard['detections']['bySeverity'], 'severity'>>('severity', streams, day),
      this.totals<string>('verdict', streams, day),
      this.totals<string>('kind', streams, { from: new Date(now.getTime() - HOUR_MS), to }),
    ]);
    return {
      lastHour: sum(recent),
      last24Hours: sum(byKind),
      byKind: byKind.map(({ key: kind, count }) => ({ kind, count })),
      bySeverity: bySeverity.map(({ key: severity, count }) => ({ severity, count })),
      unreviewed: sum(byVerdict.filter(({ key }) => key === 'none')),
    };
  }

  async busiestStreams(agentId: string | null, now: Date): Promise<Dashboard['busiestStreams']> {
    const streams = await this.streamsOf(agentId);
    return this.dataSource.query<Dashboard['busiestStreams']>(
      `WITH ${countsOf('stream', streams[0] !== ALL_STREAMS)}
       SELECT s.id AS "streamId", s.name, sum(c.count)::int AS count
       FROM counted c JOIN streams s ON s.id = c.key::uuid
       GROUP BY s.id ORDER BY count DESC, s.name LIMIT 10`,
      [streams, new Date(now.getTime() - DAY_MS), new Date(now.getTime() + 1)],
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
    const mine = await this.streamsOf(agentId);
    const streams = streamId === undefined ? mine : agentId === null || mine.includes(streamId) ? [streamId] : [];
    const width = WIDTHS[bucket];
    const rows = await this.dataSource.query<Line[]>(
      `WITH ${countsOf(by, streams[0] !== ALL_STREAMS)}, point AS (
         SELECT key COLLATE "C" AS key, floor((date_part('epoch', at) - $5) / $4)::integer AS number,
           sum(count)::integer AS count
         FROM counted GROUP BY 1, 2
       ), line AS (
         SELECT key, sum(count)::integer AS total, json_agg(number ORDER BY number) AS numbers,
           json_agg(count ORDER BY number) AS counts
         FROM point GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 20
       )
       SELECT ${by === 'stream' ? 's.name' : 'l.key AS name'}, l.*
       FROM line l ${by === 'stream' ? 'JOIN streams s ON s.id = l.key::uuid' : ''} ORDER BY l.total DESC, l.key`,
      [streams, from, to, width, FIRST_MONDAY],
    );
    return rows.map(({ numbers, counts, ...line }) => ({
      ...line,
      points: numbers.map((number, index) => ({
        at: new Date((number * width + FIRST_MONDAY) * 1_000).toISOString(),
        count: counts[index] ?? 0,
      })),
    }));
  }

  private totals<Key extends string>(
    by: SeriesQuery['by'],
    streams: readonly string[],
    { from, to }: Period,
  ): Promise<{ key: Key; count: number }[]> {
    return this.dataSource.query<{ key: Key; count: number }[]>(
      `WITH ${countsOf(by, streams[0] !== ALL_STREAMS)}
       SELECT key, sum(count)::int AS count FROM counted GROUP BY 1 ORDER BY 2 DESC, 1`,
      [streams, from, to],
    );
  }

  /** What an agent looks after; what stands for all for null. */
  private async streamsOf(agentId: string | null): Promise<string[]> {
    if (agentId === null) return [ALL_STREAMS];
    const rows = await this.dataSource.query<{ id: string }[]>(
      'SELECT stream_id AS id FROM assignments WHERE agent_id = $1',
      [agentId],
    );
    return rows.map(({ id }) => id);
  }

  /** What an agent did with what it was told. */
  async performance(agentId: string, period: Period): Promise<Omit<AgentPerformance, 'agentId' | 'from' | 'to'>> {
    const parameters = [agentId, period.from, period.to];
    type Kind = AgentPerformance['byKind'][number];
    type Row = Omit<Kind, 'kind'> & { kind: Kind['kind'] | null; at: Date | null };
    const rows = await this.dataSource.query<Row[]>(
      `WITH judged AS (
         SELECT DISTINCT detection_id FROM verdicts WHERE user_id = $1 AND created_at >= $2
       ), told AS (
         SELECT date_trunc('day', n.created_at, 'UTC') AS at, n.modality AS kind, n.read_at IS NOT NULL AS acknowledged,
           date_part('epoch', n.read_at - n.created_at) * 1000 AS wait, j.detection_id IS NOT NULL AS judged
         FROM notifications n LEFT JOIN judged j ON j.detection_id = n.detection_id
         WHERE n.user_id = $1 AND n.created_at >= $2 AND n.created_at < $3 AND n.modality IS NOT NULL
       )
       SELECT kind, at, count(*)::int AS notified, count(*) FILTER (WHERE acknowledged)::int AS acknowledged,
         count(*) FILTER (WHERE judged)::int AS verdicts,
         percentile_cont(0.5) WITHIN GROUP (ORDER BY wait) AS p50,
         percentile_cont(0.95) WITHIN GROUP (ORDER BY wait) AS p95
       FROM told GROUP BY GROUPING SETS ((), (kind), (at)) ORDER BY kind, at`,
      parameters,
    );
    const all = rows.find(({ kind, at }) => kind === null && at === null);
    const byKind = rows.flatMap(({ kind, at: _, ...figures }) => (kind === null ? [] : [{ kind, ...figures }]));
    const timeline = rows.flatMap(({ at, notified, acknowledged, verdicts }) =>
      at === null ? [] : [{ at, notified, acknowledged, verdicts }],
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
