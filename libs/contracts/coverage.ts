import { z } from 'zod';
import { EpochMs } from './primitives.js';

/** What of a stream is watched by itself: its picture, its sound, what is said, its chat. */
export const CoveragePart = z.enum(['video', 'audio', 'speech', 'chat']).meta({ id: 'CoveragePart' });
export type CoveragePart = z.infer<typeof CoveragePart>;

/**
 * Why a part is not watched, as a monitor says it: `starting`; `offline` (the source is not on air); `absent` (the
 * stream has no such part); `token` (it asks for a key, or the key has expired); `blocked` (refused, private, or over
 * budget); `network` (unreachable or stalled); `misconfigured` (nothing that can be watched); `capture_failed`;
 * `model_missing`; `detector_failed`; `shed` (it came, but there was no time for it); `adverts`; `no_sound` (none arrives
 * any more, or it cannot be decoded).
 */
export const ReportedGap = z.enum([
  'starting',
  'offline',
  'absent',
  'token',
  'blocked',
  'network',
  'misconfigured',
  'capture_failed',
  'model_missing',
  'detector_failed',
  'shed',
  'adverts',
  'no_sound',
]);
export type ReportedGap = z.infer<typeof ReportedGap>;

/**
 * Why a part was not watched. Beside what monitors say, what nobody said: `crash` (whoever watched it fell silent),
 * `restarting` (its session ended in order and the next had not begun), `unassigned` (no monitor has taken it yet).
 */
export const GapReason = z
  .enum([...ReportedGap.options, 'crash', 'restarting', 'unassigned'])
  .meta({ id: 'GapReason' });
export type GapReason = z.infer<typeof GapReason>;

const HOUR_MS = 3_600_000;

/** A stretch of one part's time within one hour of the clock (UTC): watched where there is no reason against it. */
export const CoverageSpan = z
  .object({
    part: CoveragePart,
    gap: ReportedGap.nullable(),
    startedAt: EpochMs,
    endedAt: EpochMs,
  })
  .refine(({ startedAt, endedAt }) => endedAt > startedAt, 'must end after it begins')
  .refine(({ startedAt, endedAt }) => endedAt <= hourAfter(startedAt), 'must not go beyond its hour');
export type CoverageSpan = z.infer<typeof CoverageSpan>;

/** The full hour (UTC) after an instant, epoch ms. */
export function hourAfter(at: number): number {
  return (Math.floor(at / HOUR_MS) + 1) * HOUR_MS;
}
