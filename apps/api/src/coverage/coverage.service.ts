import { Inject, Injectable } from '@nestjs/common';
import { z } from 'zod';
import type { CoveragePart } from '#libs/contracts/coverage.js';
import type { AuthenticatedUser } from '../auth/authenticated-user.js';
import { periodOf } from '../dashboard/period.js';
import { decodeCursor, encodeCursor } from '../http/pagination.js';
import { API_SETTINGS, type ApiSettings } from '../runtime.module.js';
import { StreamsService } from '../streams/streams.service.js';
import type { CoverageSeries, CoverageSeriesQuery, StreamCoverage, StreamCoverageQuery } from './coverage.dto.js';
import { CoverageHoursRepository, type StateSum } from './coverage-hours.repository.js';
import { CoverageRepository } from './coverage.repository.js';
import { joined, ledgerOf, sumsOf, type LedgerEntry, type Stretch } from './ledger.js';
import { silentMsOf } from './silence.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Lines of a chart. */
const MOST_LINES = 20;

const Position = z.tuple([z.number().int().nonnegative()]);

/** What was watched of what should be. */
@Injectable()
export class CoverageService {
  private readonly silentMs: number;

  constructor(
    @Inject(API_SETTINGS) settings: ApiSettings,
    private readonly streams: StreamsService,
    private readonly coverage: CoverageRepository,
    private readonly hours: CoverageHoursRepository,
  ) {
    this.silentMs = silentMsOf(settings);
  }

  /** One stream's. @throws AppError `stream.not_found`, `request.period`. */
  async ofStream(viewer: AuthenticatedUser, streamId: string, query: StreamCoverageQuery): Promise<StreamCoverage> {
    const { part, limit, cursor } = query;
    await this.streams.entity(viewer, streamId);
    const now = Date.now();
    // An hour is the narrowest point of a period, and so the longest period has as many hours as may be shown.
    const { from, to } = periodOf(query, now, 'hour');
    const period = { from: from.getTime(), to: Math.min(to.getTime(), now) };
    const [start] = decodeCursor(cursor, Position) ?? [period.from];
    const stretches = await this.stretches(
      streamId,
      part,
      { ...period, from: Math.max(start, period.from) },
      limit,
      now,
    );
    const next = stretches[limit];
    return {
      ...{ streamId, from: from.toISOString(), to: to.toISOString(), part },
      totals: await this.totals(streamId, period, now),
      items: stretches.slice(0, limit).map(viewOf),
      nextCursor: next === undefined ? null : encodeCursor([next.from]),
    };
  }

  /** All streams'. @throws AppError `request.period`. */
  async series(query: CoverageSeriesQuery): Promise<CoverageSeries> {
    const { bucket, by, part, streamId } = query;
    const { from, to } = periodOf(query, Date.now(), bucket);
    const begins = new Date(Math.floor(from.getTime() / HOUR_MS) * HOUR_MS);
    const rows = await this.hours.series({ from: begins, to }, bucket, streamId ?? null);
    const lines = new Map<string, typeof rows>();
    for (const row of rows) {
      if (part !== undefined && row.part !== part) continue;
      const key = by === 'part' ? row.part : `${row.streamId} ${row.part}`;
      lines.set(key, [...(lines.get(key) ?? []), row]);
    }
    const series = [...lines.values()].map((line) => lineOf(by, line));
    const blind = ({ totals }: (typeof series)[number]): number => totals.liveMs - totals.watchedMs;
    series.sort((a, b) => blind(b) - blind(a) || (a.key < b.key ? -1 : 1));
    return { from: begins.toISOString(), to: to.toISOString(), bucket, series: series.slice(0, MOST_LINES) };
  }

  /** More than `limit` entries, or all there are: read day by day, so that few rows are held at once. */
  private async stretches(
    streamId: string,
    part: CoveragePart,
    { from, to }: Stretch,
    limit: number,
    now: number,
  ): Promise<LedgerEntry[]> {
    let entries: LedgerEntry[] = [];
    for (let day = from; day < to && entries.length <= limit; day += DAY_MS) {
      const window = { from: day, to: Math.min(day + DAY_MS, to) };
      const [record] = await this.coverage.records([streamId], window, [part]);
      if (record === undefined) continue;
      entries = joined([...entries, ...ledgerOf(record.periods, record.spans, window, now - this.silentMs)]);
    }
    return entries;
  }

  /** Whole hours as they were summed, the rest from what was said. */
  private async totals(streamId: string, { from, to }: Stretch, now: number): Promise<StreamCoverage['totals']> {
    const firstHour = Math.ceil(from / HOUR_MS) * HOUR_MS;
    // The last hours' sums may still change.
    const lastHour = Math.floor(Math.min(to, now - HOUR_MS) / HOUR_MS) * HOUR_MS;
    const edges = firstHour < lastHour ? [[from, firstHour], [lastHour, to]] : [[from, to]]; // prettier-ignore
    const states: Pick<StateSum, 'part' | 'gap' | 'ms'>[] =
      firstHour < lastHour
        ? await this.hours.series({ from: new Date(firstHour), to: new Date(lastHour) }, 'hour', streamId)
        : [];
    for (const [begins = 0, ends = 0] of edges) {
      if (begins >= ends) continue;
      const window = { from: begins, to: ends };
      for (const { part, periods, spans } of await this.coverage.records([streamId], window)) {
        const entries = ledgerOf(periods, spans, window, now - this.silentMs);
        states.push(...entries.map((entry) => ({ part, gap: entry.gap, ms: entry.to - entry.from })));
      }
    }
    const parts = [...new Set(states.map(({ part }) => part))].sort();
    return parts.map((part) => ({ part, ...sumsOf(states.filter((state) => state.part === part)) }));
  }
}

function lineOf(
  by: CoverageSeriesQuery['by'],
  rows: readonly (StateSum & { at: Date; name: string })[],
): CoverageSeries['series'][number] {
  const [first] = rows;
  if (first === undefined) throw new Error('a line without points');
  const points = new Map<number, StateSum[]>();
  for (const row of rows) points.set(row.at.getTime(), [...(points.get(row.at.getTime()) ?? []), row]);
  return {
    ...(by === 'part' ? { key: first.part, name: first.part } : { key: first.streamId, name: first.name }),
    part: first.part,
    totals: sumsOf(rows),
    points: [...points].map(([at, states]) => ({ at: new Date(at).toISOString(), ...sumsOf(states) })),
  };
}

function viewOf({ from, to, gap }: LedgerEntry): StreamCoverage['items'][number] {
  return {
    ...{ from: new Date(from).toISOString(), to: new Date(to).toISOString(), ms: to - from },
    ...{ state: gap === null ? ('watched' as const) : ('gap' as const), reason: gap },
  };
}
