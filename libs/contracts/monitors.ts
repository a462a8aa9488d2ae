import { z } from 'zod';
import { EpochMs, StatusReason, StreamStatus } from './primitives.js';

/** An adapter as it announces itself: no list of them exists in the api. */
export const AdapterDescriptor = z
  .object({ id: z.string(), title: z.string(), options: z.record(z.string(), z.unknown()) })
  .meta({ id: 'AdapterDescriptor' });
export type AdapterDescriptor = z.infer<typeof AdapterDescriptor>;

/** Live figures of one session; a hint, the newest wins. */
export const SessionReport = z
  .object({
    streamId: z.uuid(),
    session: z.number().int().positive(),
    generation: z.number().int().nonnegative(),
    status: StreamStatus,
    reason: StatusReason.nullable(),
    detail: z.string(),
    startedAt: EpochMs,
    lastFrameAt: EpochMs.nullable(),
    /** Frames inspected per second over the last half minute. */
    inspectedFps: z.number().nonnegative(),
    framesCaptured: z.number().int().nonnegative(),
    framesInspected: z.number().int().nonnegative(),
    /** Frames that were replaced by a newer one before they could be inspected. */
    framesDropped: z.number().int().nonnegative(),
    restarts: z.number().int().nonnegative(),
  })
  .meta({ id: 'SessionReport' });
export type SessionReport = z.infer<typeof SessionReport>;

/** What a monitor says of itself every few seconds; its key expires when it stops. */
export const MonitorHeartbeat = z
  .object({
    v: z.literal(1),
    monitorId: z.string(),
    host: z.string(),
    pid: z.number().int(),
    version: z.string(),
    startedAt: EpochMs,
    at: EpochMs,
    capacity: z.number().int().nonnegative(),
    platforms: z.array(AdapterDescriptor),
    detectors: z.array(
      AdapterDescriptor.extend({
        state: z.enum(['ready', 'degraded', 'loading']),
        detail: z.string(),
        model: z.string().nullable(),
        labels: z.array(z.string()),
      }),
    ),
    spool: z.object({
      pending: z.number().int().nonnegative(),
      bytes: z.number().int().nonnegative(),
      shedFrames: z.number().int().nonnegative(),
      shedRecords: z.number().int().nonnegative(),
    }),
    egress: z.object({
      refused: z.number().int().nonnegative(),
      requests: z.number().int().nonnegative(),
      bytes: z.number().int().nonnegative(),
    }),
    sessions: z.array(SessionReport),
  })
  .meta({ id: 'MonitorHeartbeat' });
export type MonitorHeartbeat = z.infer<typeof MonitorHeartbeat>;
