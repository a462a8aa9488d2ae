import { Inject, Injectable } from '@nestjs/common';
import { z } from 'zod';
import type { CoveragePart } from '#libs/contracts/coverage.js';
import type { AuthenticatedUser } from '../auth/authenticated-user.js';
import { periodOf } from '../dashboard/period.js';
import { decodeCursor, encodeCursor } from '../http/pagination.js';
import { API_SETTINGS, type ApiSettings } from '../runtime.module.js';
import { StreamsService } from '../streams/streams.service.js';
import type { CoverageSeries, CoverageSeriesQuery, StreamCoverage, StreamCoverageQuery } from './coverage.dto.js';
import { CoverageHoursRepository, type SeriesPoint } from './coverage-hours.repository.js';
import { CoverageRepository } from './coverage.repository.js';
import { append, ledgerOf, sumsOf, type LedgerEntry, type Stretch } from './ledger.js';
import { silentMsOf } from './silence.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

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
    const ledger = await this.ledger(streamId, period, now);
    const stretches = ledger.get(part)?.filter((entry) => entry.from >= start) ?? [];
    const next = stretches[limit];
    const sums = [...ledger].map(([each, entries]) => ({
      part: each,
      ...sumsOf(entries.map((entry) => ({ gap: entry.gap, ms: entry.to - entry.from }))),
    }));
    return {
      ...{ streamId, from: from.toISOString(), to: to.toISOString(), part },
      totals: sums.sort((one, other) => (one.part < other.part ? -1 : 1)),
      items: stretches.slice(0, limit).map(viewOf),
      nextCursor: next === undefined ? null : encodeCursor([next.from]),
    };
  }

  /** All streams'. @throws AppError `request.period`. */
  async series(query: CoverageSeriesQuery): Promise<CoverageSeries> {
    const { bucket } = query;
    const { from, to } = periodOf(query, Date.now(), bucket);
    const begins = new Date(Math.floor(from.getTime() / HOUR_MS) * HOUR_MS);
    const lines = new Map<string, SeriesPoint[]>();
    for (const point of await this.hours.series({ from: begins, to }, query)) {
      const name = `${point.key} ${point.part}`;
      const line = lines.get(name) ?? [];
      lines.set(name, line);
      line.push(point);
    }
    const series = [...lines.values()].flatMap(lineOf);
    return { from: begins.toISOString(), to: to.toISOString(), bucket, series };
  }

  /** The account of every part: read day by day, so that few rows are held at once. */
  private async ledger(
    streamId: string,
    { from, to }: Stretch,
    now: number,
  ): Promise<Map<CoveragePart, LedgerEntry[]>> {
    const ledger = new Map<CoveragePart, LedgerEntry[]>();
    for (let day = from; day < to; day += DAY_MS) {
      const window = { from: day, to: Math.min(day + DAY_MS, to) };
      for (const { part, periods, spans } of await this.coverage.records([streamId], window)) {
        const entries = ledger.get(part) ?? [];
        ledger.set(part, entries);
        for (const entry of ledgerOf(periods, spans, window, now - this.silentMs)) append(entries, entry);
      }
    }
    return ledger;
  }
}

/** The line of its points; none of none. */
function lineOf(states: readonly SeriesPoint[]): CoverageSeries['series'] {
  const [first] = states;
  if (first === undefined) return [];
  const points = new Map<number, SeriesPoint[]>();
  for (const state of states) points.set(state.at.getTime(), [...(points.get(state.at.getTime()) ?? []), state]);
  const { key, name, part } = first;
  return [
    {
      ...{ key, name, part, totals: sumsOf(states) },
      points: [...points].map(([at, list]) => ({ at: new Date(at).toISOString(), ...sumsOf(list) })),
    },
  ];
}

function viewOf({ from, to, gap }: LedgerEntry): StreamCoverage['items'][number] {
  return {
    ...{ from: new Date(from).toISOString(), to: new Date(to).toISOString(), ms: to - from },
    ...{ state: gap === null ? ('watched' as const) : ('gap' as const), reason: gap },
  };
}
