import { Worker } from 'node:worker_threads';
import { AppError, messageOf } from '#libs/errors/app-error.js';
import type { FrameFormat } from '../capture/frame.js';
import { WorkerMessage, type WorkerJob, type WorkerStart } from './worker-messages.js';

type Done = Extract<WorkerMessage, { type: 'done' }>;

/** What a worker tells its owner once it has been ready. */
export interface PoolWorkerEvents {
  done(objects: Done['objects']): void;
  failed(message: string): void;
  /** The thread has ended, or said something that is not understood; it is of no more use. */
  lost(reason: string): void;
}

/** One inference thread: its memory for a frame, its one job at a time, its end. */
export class PoolWorker {
  private events: PoolWorkerEvents | null = null;
  private closed = false;

  private constructor(
    private readonly thread: Worker,
    readonly format: FrameFormat,
    readonly family: string,
    private readonly frame: Uint8Array,
  ) {}

  /**
   * Starts a thread and resolves once its model is loaded and warmed.
   * @throws AppError `model.*` when the model is of no use, `inference.unavailable` when the thread does not come up;
   * the reason of `signal` when it is aborted
   */
  static start(entry: URL, data: WorkerStart, timeoutMs: number, signal: AbortSignal): Promise<PoolWorker> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(asError(signal.reason));
      const thread = new Worker(entry, { workerData: data, stdout: false, stderr: false });
      let worker: PoolWorker | null = null;
      const settle = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', abort);
      };
      let refused = false;
      const refuse = (error: Error): void => {
        if (refused) return;
        refused = true;
        settle();
        void thread.terminate().then(() => reject(error));
      };
      const unavailable = (reason: string): void =>
        refuse(new AppError('inference.unavailable', 'operational', `An inference thread did not start: ${reason}.`));
      const abort = (): void => refuse(asError(signal.reason));
      const timer = setTimeout(() => unavailable(`the model was not ready after ${timeoutMs} ms`), timeoutMs);
      signal.addEventListener('abort', abort, { once: true });
      const lose = (reason: string): void => (worker === null ? unavailable(reason) : worker.lose(reason));
      thread.on('error', (error) => lose(messageOf(error)));
      thread.on('exit', (code) => lose(`it ended with code ${code}`));
      thread.on('message', (message: unknown) => {
        const parsed = WorkerMessage.safeParse(message);
        if (!parsed.success) return lose('it sent something that is not understood');
        const said = parsed.data;
        if (said.type === 'refused') return refuse(new AppError(said.code, 'user', said.message));
        if (said.type !== 'ready') return worker?.hear(said);
        settle();
        worker = new PoolWorker(thread, said.format, said.family, new Uint8Array(said.frame));
        resolve(worker);
      });
    });
  }

  /** Where news go; set before the first job. */
  listen(events: PoolWorkerEvents): void {
    this.events = events;
  }

  /** Hands over a frame. The bytes are copied once, into memory that the thread reads. */
  send(job: WorkerJob, pixels: Uint8Array): void {
    this.frame.set(pixels);
    this.thread.postMessage(job);
  }

  /** Ends the thread. Resolves when it is gone; nothing is told to {@link listen} any more. */
  async close(): Promise<void> {
    this.closed = true;
    await this.thread.terminate();
  }

  private hear(said: Done | Extract<WorkerMessage, { type: 'failed' }>): void {
    if (this.closed) return;
    if (said.type === 'done') this.events?.done(said.objects);
    else this.events?.failed(said.message);
  }

  private lose(reason: string): void {
    if (this.closed) return;
    this.closed = true;
    void this.thread.terminate();
    this.events?.lost(reason);
  }
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(messageOf(reason));
}
