import { z } from 'zod';
import { AppError } from '#libs/errors/app-error.js';

const DAY_MS = 86_400_000;
/** Points of one series at most. */
const MOST_POINTS = 1_000;
const WIDTHS = { hour: 3_600_000, day: DAY_MS, week: 7 * DAY_MS } as const;

/** The time that figures are about. */
export const PeriodQuery = z.object({
  from: z.iso.datetime({ offset: true }).optional().describe('From this instant; 7 days before `to` when left out.'),
  to: z.iso.datetime({ offset: true }).optional().describe('Up to this instant, not included; now when left out.'),
});
export type PeriodQuery = z.infer<typeof PeriodQuery>;

/** Width of the points of a series. */
export const Bucket = z.enum(['hour', 'day', 'week']).default('day').describe('Width of each point, in UTC.');
export type Bucket = z.infer<typeof Bucket>;

/** A stretch of time; `to` is not included. */
export interface Period {
  from: Date;
  to: Date;
}

/**
 * The period that is asked for.
 * @throws AppError `request.period` when it is empty, longer than two years, or has too many points.
 */
export function periodOf({ from, to }: PeriodQuery, now: number, bucket: Bucket = 'day'): Period {
  const end = to === undefined ? new Date(now) : new Date(to);
  const start = from === undefined ? new Date(end.getTime() - 7 * DAY_MS) : new Date(from);
  const length = end.getTime() - start.getTime();
  if (length <= 0) throw bad('`from` must lie before `to`');
  if (length > 731 * DAY_MS) throw bad('ask for two years at most');
  if (length / WIDTHS[bucket] > MOST_POINTS)
    throw bad(`that makes more than ${MOST_POINTS} points: choose a wider bucket`);
  return { from: start, to: end };
}

const bad = (why: string): AppError => new AppError('request.period', 'user', `This period cannot be shown: ${why}.`);
