import type { ObjectRule } from '#libs/contracts/captures.js';
import type { DetectedObject } from '#libs/contracts/primitives.js';

/** What a detector saw in one inspected frame. */
export interface Sample {
  /** Position in the stream's own time, ms; the only clock of the pipeline. */
  streamTimeMs: number;
  /** Wall time of the frame, epoch ms. */
  wallTimeMs: number;
  /** Source presentation time of the frame, ms. */
  ptsMs: number;
  /** Everything found, in any order. */
  objects: readonly DetectedObject[];
}

/** A label has appeared on the stream and was confirmed; the current frame is the evidence. */
export interface Opened {
  /** The same for the same appearance however often it is reported, so a retry cannot double it. */
  eventId: string;
  rule: ObjectRule;
  /** Score of the best object in the evidence frame. */
  confidence: number;
  /** Objects of the label at or above the threshold in the evidence frame, best first, at most 300. */
  objects: DetectedObject[];
  /** Stream time of the first frame that showed it, ms. */
  startedStreamMs: number;
  /** Wall time of that frame, epoch ms. */
  startedAt: number;
  /** Wall time of the confirming frame, epoch ms. */
  detectedAt: number;
  /** Presentation time of the evidence frame, ms. */
  ptsMs: number;
}

/** The label was seen for the last time. */
export interface Closed {
  eventId: string;
  rule: ObjectRule;
  startedStreamMs: number;
  /** Stream time of the last frame that showed it, ms. */
  endedStreamMs: number;
  /** Wall time of that frame, epoch ms. */
  endedAt: number;
  /** Number of inspected frames that showed it. */
  frames: number;
  /** Highest score over the whole appearance, 0 to 1. */
  peakConfidence: number;
}

/** What one sample changed. */
export interface Inspection {
  opened: Opened[];
  closed: Closed[];
  /** Appearances that ended within this sample without an event, because their rule was cooling down. */
  suppressed: number;
}

/** How appearances are told from flicker. */
export interface PipelineOptions {
  /** Hits wanted within {@link window} samples; at least 2. */
  hits: number;
  /** Samples looked back on. Faster sampling looks back on as many as `confirmMs` holds, at the same ratio. */
  window: number;
  /**
   * Stream time that the hits must span, ms. Just under a second, as frames asked for every second come up to a
   * tenth early. Without it two frames half a second apart, one wrong glimpse of a detector, would be an event.
   */
  confirmMs: number;
  /** An appearance ends when it was not seen for so long in stream time (and in two samples at least), ms. */
  absenceMs: number;
  /** A forward step beyond this is a jump: nothing is known of the time between, ms. */
  jumpMs: number;
}

export const PIPELINE_DEFAULTS: PipelineOptions = {
  hits: 2,
  window: 3,
  confirmMs: 900,
  absenceMs: 3_000,
  jumpMs: 30_000,
};
