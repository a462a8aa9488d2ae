import { z } from 'zod';

/** How grave a hit is; separate from confidence. */
export const Severity = z.enum(['info', 'low', 'medium', 'high', 'critical']).meta({ id: 'Severity' });
export type Severity = z.infer<typeof Severity>;

/** A bounding box `[x1, y1, x2, y2]` in pixels of the source frame. */
export const Box = z
  .tuple([z.number(), z.number(), z.number(), z.number()])
  .describe('[x1, y1, x2, y2] in pixels of the source frame');
export type Box = z.infer<typeof Box>;

/** One object found in one frame. */
export const DetectedObject = z
  .object({
    label: z.string().min(1).max(100),
    score: z.number().min(0).max(1),
    box: Box,
  })
  .meta({ id: 'DetectedObject' });
export type DetectedObject = z.infer<typeof DetectedObject>;

/** Milliseconds since the Unix epoch. */
export const EpochMs = z.number().int().nonnegative();

/**
 * What a stream is doing, as its session last said:
 * `starting` (no frame yet), `live`, `degraded` (up, but something is not watched), `offline` (the source is not
 * on air; it is tried again), `error` (cannot be watched as configured; it is tried again, slowly), `stopped`.
 */
export const StreamStatus = z
  .enum(['stopped', 'pending', 'starting', 'live', 'degraded', 'offline', 'error'])
  .meta({ id: 'StreamStatus' });
export type StreamStatus = z.infer<typeof StreamStatus>;

/** Why a stream is not simply live. Stable codes that a client may switch on. */
export const StatusReason = z
  .enum([
    'unknown_host',
    'refused_address',
    'not_found',
    'forbidden',
    'not_a_stream',
    'unsupported_scheme',
    'stalled',
    'unreachable',
    'budget_exceeded',
    'ended',
    'capture_failed',
    'model_missing',
    'detector_failed',
    'restarting',
    'no_monitor',
    'offline',
    'private',
    'geo_blocked',
    'auth_required',
    'challenge',
    'gone',
    'program_missing',
  ])
  .meta({ id: 'StatusReason' });
export type StatusReason = z.infer<typeof StatusReason>;
