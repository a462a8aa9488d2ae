import type { CapturedFrame } from '../capture/frame.js';
import type { Closed, Opened } from '../pipeline/pipeline.types.js';
import type { StatusChange } from './session-status.js';

/** Where a session's findings go: the spool in the monitor, the terminal in `try:stream`. */
export interface SessionSink {
  /** The status changed. Must not throw. */
  status(change: StatusChange): void;
  /** A confirmed appearance, with the frame that shows it. Resolves once it is safe; rejects when it is not. */
  opened(event: Opened, frame: CapturedFrame): Promise<void>;
  /** An appearance is over. */
  closed(event: Closed): Promise<void>;
  /** A frame was inspected, or passed by where the picture is not watched. */
  inspected?(streamTimeMs: number): void;
}
