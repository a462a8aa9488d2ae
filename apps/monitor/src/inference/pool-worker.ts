import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { AppError, messageOf } from '#libs/errors/app-error.js';
import type { FrameFormat } from '../capture/frame.js';
import { NativeGate } from './native-gate.js';
import { WorkerMessage, type WorkerJob, type WorkerStart } from './worker-messages.js';

type Done = Extract<WorkerMessage, { type: 'done' }>;

/** What a worker tells its owner once it has been ready. */
export interface PoolWorkerEvents {
  done(objects: Done['objects']): void;
  failed(message: string): void;
  /** The thread has ended, or said something that is not understood; it is of no more use. */
  lost(reason: string): void;
}

/** How often a thread inside native code is looked at again before it is ended, ms. */
const gatePollMs = 5;
/** How long native code may hold up the end of its thread, ms; what is in there longer is left to itself. */
const nativeGraceMs = 30_000;

/** One inference thread: its memory for a frame, its one job at a time, its end. */
export class PoolWorker {
  private events: PoolWorkerEvents | null = null;
  private closed = false;

  private constructor(
    private readonly end: () => Promise<void>,
    private readonly post: (job: WorkerJob) => void,
    readonly format: FrameFormat,
    readonly family: string,
    private readonly frame: Uint8Array,
    /** How long a run took once the model was warm, ms; null when it did not say. */
    readonly runMs: number | null,
  ) {}

  /**
   * Starts a thread and resolves once its model is loaded and warmed.
   * @throws AppError `model.*` when the model is of no use, `inference.unavailable` when the thread does not come up;
   * the reason of `signal` when it is aborted
   */
  static start(
    entry: URL,
    data: Omit<WorkerStart, 'gate'>,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<PoolWorker> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(asError(signal.reason));
      const gate = new NativeGate();
      const workerData: WorkerStart = { ...data, gate: gate.memory };
      const thread = new Worker(entry, { workerData });
      const end = threadEnder(thread, gate);
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
        void end().then(() => reject(error));
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
        const post = (job: WorkerJob): void => thread.postMessage(job);
        worker = new PoolWorker(end, post, said.format, said.family, new Uint8Array(said.frame), said.runMs ?? null);
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
    this.post(job);
  }

  /**
   * Ends the thread, once it has left native code. Resolves when it is gone; nothing is told to {@link listen} any more.
   */
  async close(): Promise<void> {
    this.closed = true;
    await this.end();
  }

  private hear(said: Done | Extract<WorkerMessage, { type: 'failed' }>): void {
    if (this.closed) return;
    if (said.type === 'done') this.events?.done(said.objects);
    else this.events?.failed(said.message);
  }

  private lose(reason: string): void {
    if (this.closed) return;
    this.closed = true;
    void this.end();
    this.events?.lost(reason);
  }
}

/** Ends a thread when it is safe, once. */
export function threadEnder(thread: Worker, gate: NativeGate): () => Promise<void> {
  let gone = false;
  thread.once('exit', () => (gone = true));
  const end = async (): Promise<void> => {
    for (let waitedMs = 0; !gone && !gate.bar(); waitedMs += gatePollMs) {
      if (waitedMs >= nativeGraceMs) {
        thread.unref();
        return;
      }
      await sleep(gatePollMs);
    }
    if (!gone) await thread.terminate();
  };
  let ending: Promise<void> | null = null;
  return () => (ending ??= end());
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(messageOf(reason));
}
