import { z } from 'zod';
import { CoveragePart, GapReason } from '#libs/contracts/coverage.js';
import { Bucket, PeriodQuery } from '../dashboard/period.js';
import { PageQuery } from '../http/pagination.js';

const Ms = z.number().int().nonnegative();

export const CoverageSums = z
  .object({
    expectedMs: Ms.describe('In which it should be watched.'),
    liveMs: Ms.describe('Of them: in which there was something to watch, as far as is known.'),
    watchedMs: Ms.describe('Of them: truly watched.'),
    gaps: z.array(z.object({ reason: GapReason, ms: Ms })).describe('The rest, the longest first.'),
  })
  .meta({ id: 'CoverageSums' });

export const StreamCoverageQuery = PageQuery.extend({
  ...PeriodQuery.shape,
  part: CoveragePart.default('video').describe('Whose stretches to list; `totals` are of all parts.'),
});
export type StreamCoverageQuery = z.infer<typeof StreamCoverageQuery>;

const CoverageStretch = z
  .object({
    from: z.iso.datetime(),
    to: z.iso.datetime(),
    ms: Ms,
    state: z.enum(['watched', 'gap']),
    reason: GapReason.nullable().describe('Why it was not watched.'),
  })
  .meta({ id: 'CoverageStretch' });

export const StreamCoverage = z
  .object({
    streamId: z.uuid(),
    from: z.iso.datetime(),
    to: z.iso.datetime(),
    part: CoveragePart,
    totals: z.array(CoverageSums.extend({ part: CoveragePart })).describe('Of the whole period, for each part.'),
    items: z.array(CoverageStretch).describe('Oldest first, without holes but where nothing should be watched.'),
    nextCursor: z.string().nullable().describe('Cursor of the next page, null on the last one.'),
  })
  .meta({ id: 'StreamCoverage' });
export type StreamCoverage = z.infer<typeof StreamCoverage>;

export const CoverageSeriesQuery = PeriodQuery.extend({
  bucket: Bucket,
  by: z.enum(['part', 'stream']).default('part').describe('What each line of the chart is.'),
  part: CoveragePart.optional().describe('Only this part.'),
  streamId: z.uuid().optional().describe('Only this stream.'),
});
export type CoverageSeriesQuery = z.infer<typeof CoverageSeriesQuery>;

export const CoverageSeries = z
  .object({
    from: z.iso.datetime().describe('At a full hour.'),
    to: z.iso.datetime(),
    bucket: z.enum(['hour', 'day', 'week']),
    series: z
      .array(
        z.object({
          key: z.string().describe('The part, or the id of the stream.'),
          name: z.string(),
          part: CoveragePart,
          totals: CoverageSums,
          points: z.array(CoverageSums.extend({ at: z.iso.datetime() })).describe('Where something was to be watched.'),
        }),
      )
      .describe('The 20 that were live and not watched for the longest, those first.'),
  })
  .meta({ id: 'CoverageSeries' });
export type CoverageSeries = z.infer<typeof CoverageSeries>;
