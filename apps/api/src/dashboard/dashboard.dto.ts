import { z } from 'zod';
import { Modality, Severity, StreamStatus } from '#libs/contracts/primitives.js';
import { Bucket, PeriodQuery } from './period.js';

const Count = z.number().int();
const Ms = z.number().nullable().describe('In ms; null when there is nothing to measure.');

const BySeverity = z.object({ severity: Severity, count: Count });
const ByKind = z.object({ kind: Modality, count: Count });

const Streams = z.object({
  total: Count,
  monitored: Count,
  byStatus: z.array(z.object({ status: StreamStatus, count: Count })).describe('Of the monitored ones.'),
});
const Detections = z.object({
  lastHour: Count,
  last24Hours: Count,
  byKind: z.array(ByKind).describe('Of the last 24 hours.'),
  bySeverity: z.array(BySeverity).describe('Of the last 24 hours.'),
  unreviewed: Count.describe('Of the last 24 hours, without a verdict.'),
});
const BusyStream = z.object({ streamId: z.uuid(), name: z.string(), count: Count });

export const Dashboard = z
  .object({
    streams: Streams,
    detections: Detections,
    busiestStreams: z.array(BusyStream).describe('By detections of the last 24 hours.'),
    agents: z.object({ total: Count, enabled: Count, online: Count }),
    unassignedStreams: Count.describe('Monitored streams that no agent looks after.'),
    at: z.iso.datetime(),
  })
  .meta({ id: 'Dashboard' });
export type Dashboard = z.infer<typeof Dashboard>;

export const AgentDashboard = z
  .object({
    streams: Streams,
    detections: Detections,
    busiestStreams: z.array(BusyStream),
    unreadNotifications: Count,
    at: z.iso.datetime(),
  })
  .meta({ id: 'AgentDashboard' });
export type AgentDashboard = z.infer<typeof AgentDashboard>;

export const SeriesQuery = PeriodQuery.extend({
  bucket: Bucket,
  by: z
    .enum(['kind', 'severity', 'stream', 'label', 'verdict'])
    .default('kind')
    .describe('What each line of the chart is.'),
  streamId: z.uuid().optional().describe('Only those of this stream.'),
});
export type SeriesQuery = z.infer<typeof SeriesQuery>;

export const DetectionSeries = z
  .object({
    from: z.iso.datetime(),
    to: z.iso.datetime(),
    bucket: z.enum(['hour', 'day', 'week']),
    series: z
      .array(
        z.object({
          key: z.string().describe('Value of what is grouped by: for `stream` its id.'),
          name: z.string(),
          total: Count,
          points: z.array(z.object({ at: z.iso.datetime(), count: Count })).describe('Only points that are not 0.'),
        }),
      )
      .describe('The 20 largest, largest first.'),
  })
  .meta({ id: 'DetectionSeries' });
export type DetectionSeries = z.infer<typeof DetectionSeries>;

export const PerformanceQuery = PeriodQuery;
export type PerformanceQuery = z.infer<typeof PerformanceQuery>;

export const AgentPerformance = z
  .object({
    agentId: z.uuid(),
    from: z.iso.datetime(),
    to: z.iso.datetime(),
    notified: Count.describe('Notifications of detections.'),
    acknowledged: Count.describe('Of them read.'),
    verdicts: z.object({ true: Count, false: Count, unsure: Count }),
    verdictRate: z.number().nullable().describe('Part of the detections notified of that the agent gave a verdict on.'),
    timeToAcknowledge: z.object({ p50: Ms, p95: Ms }),
    byKind: z.array(
      z.object({ kind: Modality, notified: Count, acknowledged: Count, verdicts: Count, p50: Ms, p95: Ms }),
    ),
    timeline: z.array(z.object({ at: z.iso.datetime(), notified: Count, acknowledged: Count, verdicts: Count })),
  })
  .meta({ id: 'AgentPerformance' });
export type AgentPerformance = z.infer<typeof AgentPerformance>;
