import { z } from 'zod';
import { DetectedObject, EpochMs, Severity, StatusReason, StreamStatus } from './primitives.js';

/** An object on the watch list has appeared and was confirmed. `eventId` names it for ever. */
export const DetectionOpened = z.object({
  type: z.literal('detection.opened'),
  eventId: z.uuid(),
  streamId: z.uuid(),
  session: z.number().int().positive(),
  kind: z.literal('video'),
  ruleId: z.uuid(),
  ruleVersion: z.number().int().positive(),
  label: z.string(),
  severity: Severity,
  /** Score of the best object of this label in the evidence frame, 0 to 1. */
  confidence: z.number().min(0).max(1),
  /** All objects of this label in the evidence frame, best first. */
  objects: z.array(DetectedObject).min(1).max(300),
  frame: z.object({ width: z.number().int().positive(), height: z.number().int().positive() }),
  /** Key in the evidence store of the clean frame, null when it had to be shed. */
  evidenceKey: z.string().nullable(),
  /** Name of the model that saw it. */
  model: z.string(),
  /** Wall time of the first frame that showed it: the source's clock laid on ours, so that bursts do not blur it. */
  startedAt: EpochMs,
  /** Wall time of the frame that confirmed it. */
  detectedAt: EpochMs,
  /** Source presentation time of the evidence frame, for mapping to the stream's own clock. */
  ptsMs: z.number(),
});
export type DetectionOpened = z.infer<typeof DetectionOpened>;

/** The object was seen for the last time. */
export const DetectionClosed = z.object({
  type: z.literal('detection.closed'),
  eventId: z.uuid(),
  streamId: z.uuid(),
  session: z.number().int().positive(),
  endedAt: EpochMs,
  /** Number of inspected frames that showed it. */
  frames: z.number().int().positive(),
  /** Highest score over the whole appearance. */
  peakConfidence: z.number().min(0).max(1),
});
export type DetectionClosed = z.infer<typeof DetectionClosed>;

/** A session says what its stream is doing. An older session never overrides a newer one. */
export const StreamStatusChanged = z.object({
  type: z.literal('stream.status'),
  streamId: z.uuid(),
  session: z.number().int().positive(),
  generation: z.number().int().nonnegative(),
  monitorId: z.string(),
  status: StreamStatus,
  reason: StatusReason.nullable(),
  /** A sentence for a person; empty when all is well. */
  detail: z.string().max(500),
  at: EpochMs,
});
export type StreamStatusChanged = z.infer<typeof StreamStatusChanged>;

/** What a monitor knows and the api must not lose. */
export const Fact = z.discriminatedUnion('type', [DetectionOpened, DetectionClosed, StreamStatusChanged]);
export type Fact = z.infer<typeof Fact>;

/**
 * A fact on its way: `spoolId` and `seq` (1, 2, 3 … without a gap within a spool) say where it came from.
 * `floor` is the lowest sequence number the spool still holds: whatever is below was shed or already committed.
 */
export const FactEnvelope = z.object({
  v: z.literal(1),
  spoolId: z.string().min(1).max(64),
  seq: z.number().int().positive(),
  floor: z.number().int().positive(),
  fact: Fact,
});
export type FactEnvelope = z.infer<typeof FactEnvelope>;

/** The api has committed everything of this spool up to and including `seq`. */
export const Watermark = z.object({ spoolId: z.string(), seq: z.number().int().nonnegative() });
export type Watermark = z.infer<typeof Watermark>;
