import { z } from 'zod';
import { MonitorHeartbeat, SessionReport } from '#libs/contracts/monitors.js';
import { CanaryRun } from '../canary/canary.dto.js';
import { StreamState } from '../streams/streams.dto.js';

export const MonitoringResult = z
  .object({
    streamId: z.uuid(),
    monitored: z.boolean().describe('Whether it should be watched now.'),
    generation: z.number().int(),
    status: StreamState,
    note: z.string().nullable().describe('Set when the command reaches the monitors later, because Redis is away.'),
  })
  .meta({ id: 'MonitoringResult' });
export type MonitoringResult = z.infer<typeof MonitoringResult>;

export const RestartRequest = z
  .strictObject({
    streamIds: z.array(z.uuid()).min(1).max(1_000).optional().describe('Left out: everything that is watched.'),
  })
  .meta({ id: 'RestartRequest' });
export type RestartRequest = z.infer<typeof RestartRequest>;

export const RestartResult = z
  .object({ streamIds: z.array(z.uuid()).describe('What is begun anew.'), note: z.string().nullable() })
  .meta({ id: 'RestartResult' });
export type RestartResult = z.infer<typeof RestartResult>;

const Detector = MonitorHeartbeat.shape.detectors.element;

export const DetectionStatus = z
  .object({
    streamId: z.uuid(),
    monitored: z.boolean(),
    generation: z.number().int(),
    status: StreamState,
    monitorId: z.string().nullable().describe('Who watches it.'),
    session: SessionReport.nullable().describe("The running session's latest figures."),
    detectors: z.array(Detector).describe('Detectors of that monitor.'),
  })
  .meta({ id: 'DetectionStatus' });
export type DetectionStatus = z.infer<typeof DetectionStatus>;

export const MonitorHealth = z
  .object({
    status: z.enum(['ok', 'degraded', 'down']).describe('`down`: nothing can be watched now.'),
    redis: z.enum(['up', 'down']),
    monitors: z.number().int().describe('Monitors that are there.'),
    capacity: z.number().int().describe('Streams they can watch together.'),
    desired: z.number().int().describe('Streams that should be watched.'),
    active: z.number().int().describe('Captures that a monitor has taken.'),
    waiting: z.number().int().describe('Captures that no monitor has taken yet.'),
    detail: z.string(),
  })
  .meta({ id: 'MonitorHealth' });
export type MonitorHealth = z.infer<typeof MonitorHealth>;

export const Monitor = MonitorHeartbeat.omit({ v: true })
  .extend({ canary: CanaryRun.nullable().describe('Its latest complete canary run; null when it has had none.') })
  .meta({ id: 'Monitor' });
export type Monitor = z.infer<typeof Monitor>;

export const MonitorList = z.object({ items: z.array(Monitor) }).meta({ id: 'MonitorList' });
export type MonitorList = z.infer<typeof MonitorList>;

const DetectorState = Detector.shape.state;

export const DetectorList = z
  .object({
    items: z.array(
      Detector.pick({ id: true, title: true, options: true, state: true })
        .extend({
          state: DetectorState.describe('The worst of its monitors.'),
          labels: z.array(z.string()).describe('What it can find on any monitor.'),
          monitors: z
            .array(Detector.pick({ state: true, detail: true, model: true }).extend({ monitorId: z.string() }))
            .describe('Which monitors have it, and how it is doing there.'),
        })
        .meta({ id: 'DetectorSummary' }),
    ),
  })
  .meta({ id: 'DetectorList' });
export type DetectorList = z.infer<typeof DetectorList>;
