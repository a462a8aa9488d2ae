import type { AdapterDescriptor } from '#libs/contracts/monitors.js';
import type { DetectedObject } from '#libs/contracts/primitives.js';
import type { CapturedFrame, FrameFormat } from '../capture/frame.js';
import type { WorkerPoolStats } from '../inference/worker-pool.js';

/** Whether a detector can do its work, and if not, what to do about it. */
export interface DetectorState {
  state: 'ready' | 'degraded' | 'loading';
  /** A sentence for a person; says which model runs, or which command fetches the missing one. */
  detail: string;
  /** Name of the model that runs, null when none does. */
  model: string | null;
  /** What it can find. */
  labels: readonly string[];
}

/** Looks at pictures. One instance serves every stream of the process. */
export interface VideoDetector {
  readonly descriptor: AdapterDescriptor;
  /** How it wants its frames; known once {@link start} has resolved, null while it has no model. */
  readonly frameFormat: FrameFormat | null;
  /** Frames that it can inspect in a second, as measured, and frames that wait; null while that is not known. */
  pace?(): { perSecond: number; queued: number } | null;
  /** Counters of its inference; null while there is no model, missing where it has none. */
  readonly stats?: WorkerPoolStats | null;
  state(): DetectorState;
  /** Loads and warms the model. Never rejects for a missing or bad model: the state turns `degraded`. */
  start(): Promise<void>;
  /**
   * Finds objects with a score of at least `minScore`, boxes in pixels of the source, best first.
   * @param spare whether it gives way to every frame of a stream
   * @throws AppError `inference.timeout`, `inference.failed`, `inference.unavailable`; AbortError when aborted.
   */
  inspect(
    frame: Pick<CapturedFrame, 'pixels' | 'source'>,
    minScore: number,
    signal?: AbortSignal,
    spare?: boolean,
  ): Promise<DetectedObject[]>;
  stop(): Promise<void>;
}
