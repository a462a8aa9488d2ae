import type { Box } from '#libs/contracts/primitives.js';
import type { Size } from '../capture/frame.js';

/** An object as a model names it: class by number, box in pixels of the source. */
export interface InferredObject {
  classIndex: number;
  score: number;
  box: Box;
}

/** One frame to inspect and the promise of what is in it; settles once, whatever comes first. */
export class InferenceJob {
  readonly result: Promise<InferredObject[]>;
  private resolve: (objects: InferredObject[]) => void = () => undefined;
  private reject: (error: unknown) => void = () => undefined;
  private timer: NodeJS.Timeout | undefined;
  private open = true;

  /** @param onAbort called when the signal ends the job, before its promise rejects */
  constructor(
    readonly pixels: Uint8Array,
    readonly source: Size,
    readonly minScore: number,
    private readonly signal: AbortSignal | undefined,
    private readonly onAbort: () => void,
  ) {
    this.result = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    signal?.addEventListener('abort', this.abort, { once: true });
  }

  get settled(): boolean {
    return !this.open;
  }

  /** Arms the limit on waiting. */
  expireAfter(ms: number, onExpiry: () => void): void {
    this.timer = setTimeout(onExpiry, ms);
  }

  /** Disarms the limit on waiting: a thread has taken the job. */
  taken(): void {
    clearTimeout(this.timer);
  }

  succeed(objects: InferredObject[]): void {
    if (this.settle()) this.resolve(objects);
  }

  fail(error: unknown): void {
    if (this.settle()) this.reject(error);
  }

  private settle(): boolean {
    const first = this.open;
    this.open = false;
    clearTimeout(this.timer);
    this.signal?.removeEventListener('abort', this.abort);
    return first;
  }

  private readonly abort = (): void => {
    this.onAbort();
    this.fail(this.signal?.reason);
  };
}
