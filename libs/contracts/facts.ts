import { z } from 'zod';
import { CanaryLeft, CanaryObserved } from './canary.js';
import { ChatLine } from './chat.js';
import { CoverageSpan } from './coverage.js';
import { DetectedObject, EpochMs, Quote, Severity, StatusReason, StreamStatus } from './primitives.js';

/** What every finding says. `eventId` names it for ever. */
const Opened = z.object({
  type: z.literal('detection.opened'),
  eventId: z.uuid(),
  streamId: z.uuid(),
  session: z.number().int().positive(),
  /** The rule that asked for it; null for a signal, which needs none. */
  ruleId: z.uuid().nullable(),
  ruleVersion: z.number().int().positive().nullable(),
  /** What was found: the label of an object, the name of a keyword, a signal. */
  label: z.string().max(200),
  severity: Severity,
  /** 0 to 1: the score of the best object, the certainty of a reading; 1 for what was measured. */
  confidence: z.number().min(0).max(1),
  /** Id of the detector that found it, e.g. `yolo`, `phrases`, `sound`. */
  detector: z.string().min(1).max(40),
  /** Name of the model behind the detector; the same as the detector where there is none. */
  model: z.string().max(200),
  /** A sentence for a person; may be empty where the rest says it all. */
  detail: z.string().max(500),
  /** Key in the evidence store of the clean frame; null when there is none, or it had to be shed. */
  evidenceKey: z.string().nullable(),
  /** Key in the evidence store of a stretch of sound; null when there is none, or it had to be shed. */
  clipKey: z.string().nullable(),
  /** Wall time of its beginning: the source's clock laid on ours, so that bursts do not blur it. */
  startedAt: EpochMs,
  /** Wall time at which it was certain. */
  detectedAt: EpochMs,
});

/** An object on the watch list has appeared and was confirmed. */
const VideoOpened = Opened.extend({
  kind: z.literal('video'),
  /** All objects of this label in the evidence frame, best first. */
  objects: z.array(DetectedObject).min(1).max(300),
  frame: z.object({ width: z.number().int().positive(), height: z.number().int().positive() }),
  /** Source presentation time of the evidence frame, for mapping to the stream's own clock. */
  ptsMs: z.number(),
});

export type VideoOpened = z.infer<typeof VideoOpened>;

/** Something was heard: a keyword in what was said, or a signal of the sound itself. */
const AudioOpened = Opened.extend({
  kind: z.literal('audio'),
  quote: Quote.nullable(),
  /** The transcript segment that the quote is from. */
  segmentId: z.uuid().nullable(),
});

/** Something was written: a keyword in a line, or a signal of the room. */
const ChatOpened = Opened.extend({
  kind: z.literal('chat'),
  quote: Quote.nullable(),
  /** The line itself, and at most ten before it, oldest first. The lines after it follow: {@link DetectionContext}. */
  message: ChatLine.nullable(),
  before: z.array(ChatLine).max(10),
});

/** Something was found. */
export const DetectionOpened = z.discriminatedUnion('kind', [VideoOpened, AudioOpened, ChatOpened]);
export type DetectionOpened = z.infer<typeof DetectionOpened>;

/** What was written after a line that was found. */
export const DetectionContext = z.object({
  type: z.literal('detection.context'),
  eventId: z.uuid(),
  streamId: z.uuid(),
  session: z.number().int().positive(),
  after: z.array(ChatLine).max(10),
});
export type DetectionContext = z.infer<typeof DetectionContext>;

/** What was found is over. */
export const DetectionClosed = z.object({
  type: z.literal('detection.closed'),
  eventId: z.uuid(),
  streamId: z.uuid(),
  session: z.number().int().positive(),
  endedAt: EpochMs,
  /** Number of inspected frames that showed it; 0 for what is not seen. */
  frames: z.number().int().nonnegative(),
  /** Highest score over the whole of it. */
  peakConfidence: z.number().min(0).max(1),
});
export type DetectionClosed = z.infer<typeof DetectionClosed>;

/** Something was said and written down. Final: it does not change any more. */
export const TranscriptWritten = z.object({
  type: z.literal('transcript.written'),
  segmentId: z.uuid(),
  streamId: z.uuid(),
  session: z.number().int().positive(),
  text: z.string().min(1).max(4_000),
  /** Code of the language, null when it is not known. */
  language: z.string().max(20).nullable(),
  /** Id of the engine and name of the model that wrote it. */
  engine: z.string().max(40),
  model: z.string().max(200),
  /** Mean probability of speech, 0 to 1. */
  vadMean: z.number().min(0).max(1),
  /** Filters that changed the text. */
  filters: z.array(z.string().max(40)).max(20),
  startedAt: EpochMs,
  endedAt: EpochMs,
});
export type TranscriptWritten = z.infer<typeof TranscriptWritten>;

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

/**
 * A session says what of its stream it has watched. A span that lasts comes again with a later end, so that what was
 * said does not have to be added up: the same session's span of the same beginning is the same span.
 */
export const CoverageObserved = z.object({
  type: z.literal('coverage.observed'),
  streamId: z.uuid(),
  session: z.number().int().positive(),
  monitorId: z.string(),
  /** Whether the session ends in order: nothing follows. */
  isLast: z.boolean(),
  spans: z.array(CoverageSpan).min(1).max(200),
});
export type CoverageObserved = z.infer<typeof CoverageObserved>;

/** What a monitor knows and the api must not lose. */
export const Fact = z.discriminatedUnion('type', [
  DetectionOpened,
  DetectionContext,
  DetectionClosed,
  TranscriptWritten,
  StreamStatusChanged,
  CoverageObserved,
  CanaryObserved,
  CanaryLeft,
]);
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
