import { AppError, messageOf } from '#libs/errors/app-error.js';
import type { FrameFormat, Size } from '../capture/frame.js';
import { InferenceJob, type InferredObject } from './inference-job.js';
import { PoolWorker } from './pool-worker.js';
import { RestartBudget } from './restart-budget.js';

/** How a pool is made. */
export interface WorkerPoolOptions {
  /** Path of the `.onnx`. */
  modelPath: string;
  /** Number of labels. */
  classes: number;
  /** Number of inference threads. */
  threads: number;
  /** Frames that wait at most; more are refused. */
  maxQueued?: number;
  /** Time a frame may take once a thread has it; then the thread is replaced. */
  jobTimeoutMs?: number;
  /** Time a frame may wait for a thread. */
  queueTimeoutMs?: number;
  startTimeoutMs?: number;
  /** Threads that are restarted within `restartWindowMs` at most; the next one waits. */
  maxRestarts?: number;
  restartWindowMs?: number;
  now?: () => number;
  /** Code of a thread; another one only in tests. */
  entry?: URL;
}

/** Counters since the start; `busyMs` is the time threads spent on frames, over all threads. */
export interface WorkerPoolStats {
  threads: number;
  queued: number;
  running: number;
  done: number;
  failed: number;
  /** Refused because too many waited. */
  refused: number;
  timedOut: number;
  aborted: number;
  restarts: number;
  busyMs: number;
}

/** How much one run counts in the running mean of their time. */
const FRESH = 0.05;
/** Part of the measured pace that is relied on. */
const PACE_MARGIN = 0.8;

/** What a thread is busy with. */
interface Run {
  job: InferenceJob;
  startedAt: number;
  /** Replaces the thread when it takes too long; runs on when the job itself was aborted. */
  watchdog: NodeJS.Timeout;
}

/**
 * Threads that run one model, each with a session of its own; frames are served in the order they came, those that are
 * `spare` only when no other waits.
 */
export class WorkerPool {
  private readonly settings: Required<WorkerPoolOptions>;
  private readonly budget: RestartBudget;
  private readonly idle: PoolWorker[] = [];
  private readonly workers = new Map<PoolWorker, Run | null>();
  private readonly queue: InferenceJob[] = [];
  private readonly spare: InferenceJob[] = [];
  private readonly pending = new Set<Promise<void>>();
  private launching = 0;
  private readonly restartTimers = new Set<NodeJS.Timeout>();
  private readonly stopping = new AbortController();
  private readonly counts = { done: 0, failed: 0, refused: 0, timedOut: 0, aborted: 0, restarts: 0, busyMs: 0 };
  private ready: { format: FrameFormat; family: string } | null = null;
  private lastLoss = '';
  /** Running mean of the time of a run, ms. */
  private runMs: number | null = null;
  private jobId = 0;

  constructor(options: WorkerPoolOptions) {
    this.settings = {
      maxQueued: 512,
      jobTimeoutMs: 10_000,
      queueTimeoutMs: 10_000,
      startTimeoutMs: 60_000,
      maxRestarts: 5,
      restartWindowMs: 60_000,
      now: () => performance.now(),
      entry: new URL('./inference-worker.js', import.meta.url),
      ...options,
    };
    this.budget = new RestartBudget(this.settings.maxRestarts, this.settings.restartWindowMs, this.settings.now);
  }

  /** How frames must come; null before {@link start} has resolved. */
  get format(): FrameFormat | null {
    return this.ready?.format ?? null;
  }

  /** Output family that was recognised; null before {@link start} has resolved. */
  get family(): string | null {
    return this.ready?.family ?? null;
  }

  /**
   * Frames that all threads together can inspect in a second: measured when they were warm, and by every run since, so
   * that a machine with other work counts as the slower one that it is. Null before {@link start} has resolved.
   */
  get perSecond(): number | null {
    return this.runMs === null ? null : (Math.max(1, this.workers.size) * 1_000 * PACE_MARGIN) / this.runMs;
  }

  /** Why no thread runs, null while at least one does or is coming up. */
  get trouble(): string | null {
    return this.workers.size + this.launching > 0 ? null : this.lastLoss || 'no inference thread runs';
  }

  /**
   * Resolves when every thread has its model loaded and warmed.
   * @throws AppError `model.*`, `inference.unavailable`; no thread is left then
   */
  async start(): Promise<void> {
    // The first one alone: a bad model is refused once, not once per thread.
    try {
      await this.track(this.launch());
      await Promise.all(Array.from({ length: this.settings.threads - 1 }, () => this.track(this.launch())));
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /**
   * Finds objects in one frame, best first. `pixels` must not change until the promise settles.
   * @param spare whether it gives way to all that are not
   * @throws AppError `inference.timeout`, `inference.failed`, `inference.unavailable`; the reason of an aborted signal
   */
  async infer(
    pixels: Uint8Array,
    source: Size,
    minScore: number,
    signal?: AbortSignal,
    spare = false,
  ): Promise<InferredObject[]> {
    signal?.throwIfAborted();
    this.refuse(pixels);
    const { queueTimeoutMs } = this.settings;
    const job = new InferenceJob(pixels, source, minScore, signal, () => {
      this.counts.aborted++;
      this.forget(job);
    });
    job.expireAfter(queueTimeoutMs, () => {
      this.counts.timedOut++;
      this.forget(job);
      job.fail(timedOut(`waited ${queueTimeoutMs} ms for a thread`));
    });
    (spare ? this.spare : this.queue).push(job);
    this.dispatch();
    return job.result;
  }

  stats(): WorkerPoolStats {
    const running = [...this.workers.values()].filter((run) => run !== null).length;
    return { threads: this.workers.size, queued: this.waiting, running, ...this.counts };
  }

  /** Rejects what waits and runs, and resolves when no thread is left. */
  async stop(): Promise<void> {
    this.stopping.abort(stopped());
    for (const timer of this.restartTimers) clearTimeout(timer);
    this.restartTimers.clear();
    this.failWaiting(stopped());
    for (const run of this.workers.values()) {
      clearTimeout(run?.watchdog);
      run?.job.fail(stopped());
    }
    const leaving = [...this.workers.keys()];
    this.workers.clear();
    this.idle.length = 0;
    await Promise.all(leaving.map((worker) => worker.close()));
    await Promise.all(this.pending);
  }

  private refuse(pixels: Uint8Array): void {
    if (this.stopping.signal.aborted) throw stopped();
    if (this.ready === null) throw unavailable('the model is still loading');
    if (this.trouble !== null) throw unavailable(this.trouble);
    const { width, height } = this.ready.format;
    if (pixels.length !== width * height * 3) {
      const sentence = `A frame of ${pixels.length} bytes came where the model takes ${width}x${height} of 3 bytes.`;
      throw new AppError('inference.failed', 'unexpected', sentence);
    }
    if (this.waiting < this.settings.maxQueued) return;
    this.counts.refused++;
    throw unavailable(`${this.waiting} frames wait already; watch fewer streams or give it more threads`);
  }

  private forget(job: InferenceJob): void {
    for (const line of [this.queue, this.spare]) {
      const place = line.indexOf(job);
      if (place >= 0) line.splice(place, 1);
    }
  }

  private get waiting(): number {
    return this.queue.length + this.spare.length;
  }

  private failWaiting(error: AppError): void {
    for (const line of [this.queue, this.spare]) for (const job of line.splice(0)) job.fail(error);
  }

  private async launch(): Promise<void> {
    const { entry, modelPath, classes, startTimeoutMs } = this.settings;
    this.launching++;
    const worker = await PoolWorker.start(entry, { modelPath, classes }, startTimeoutMs, this.stopping.signal).finally(
      () => this.launching--,
    );
    if (this.stopping.signal.aborted) {
      await worker.close();
      throw stopped();
    }
    const { format } = this;
    if (format !== null && (format.width !== worker.format.width || format.height !== worker.format.height)) {
      await worker.close();
      throw unavailable(`${modelPath} was exchanged for a model with another input; restart the monitor`);
    }
    worker.listen({
      done: (objects) =>
        this.finish(worker, (job) => {
          this.counts.done++;
          job.succeed(objects);
        }),
      failed: (message) =>
        this.finish(worker, (job) => {
          this.counts.failed++;
          job.fail(failed(message));
        }),
      lost: (reason) => this.replace(worker, reason),
    });
    this.ready ??= { format: worker.format, family: worker.family };
    this.runMs ??= worker.runMs;
    this.workers.set(worker, null);
    this.idle.push(worker);
    this.dispatch();
  }

  private dispatch(): void {
    for (let worker = this.idle.pop(); worker !== undefined; worker = this.idle.pop()) {
      const taker = worker;
      const job = this.queue.shift() ?? this.spare.shift();
      if (job === undefined) {
        this.idle.push(taker);
        return;
      }
      job.taken();
      const watchdog = setTimeout(() => this.replaceSlow(taker, job), this.settings.jobTimeoutMs);
      this.workers.set(taker, { job, startedAt: this.settings.now(), watchdog });
      taker.send({ id: ++this.jobId, source: job.source, minScore: job.minScore }, job.pixels);
    }
  }

  private finish(worker: PoolWorker, settle: (job: InferenceJob) => void): void {
    const run = this.endRun(worker);
    if (run === null) return;
    this.workers.set(worker, null);
    this.idle.push(worker);
    settle(run.job);
    this.dispatch();
  }

  private endRun(worker: PoolWorker): Run | null {
    const run = this.workers.get(worker) ?? null;
    if (run === null) return null;
    clearTimeout(run.watchdog);
    const tookMs = this.settings.now() - run.startedAt;
    this.counts.busyMs += tookMs;
    this.runMs = this.runMs === null ? tookMs : this.runMs * (1 - FRESH) + tookMs * FRESH;
    return run;
  }

  private replaceSlow(worker: PoolWorker, job: InferenceJob): void {
    const what = `took more than ${this.settings.jobTimeoutMs} ms`;
    this.counts.timedOut++;
    job.fail(timedOut(what));
    this.replace(worker, `a frame ${what}`);
  }

  private replace(worker: PoolWorker, reason: string): void {
    const run = this.endRun(worker);
    if (!this.workers.delete(worker)) return;
    const place = this.idle.indexOf(worker);
    if (place >= 0) this.idle.splice(place, 1);
    if (run !== null && !run.job.settled) {
      this.counts.failed++;
      run.job.fail(failed(`its thread was lost: ${reason}`));
    }
    this.lastLoss = `inference threads keep failing: ${reason}`;
    void this.track(worker.close());
    this.restart();
  }

  /** Brings up one thread, now or when the budget allows. */
  private restart(): void {
    if (this.stopping.signal.aborted) return;
    const waitMs = this.budget.take();
    if (waitMs > 0) {
      if (this.trouble !== null) this.failWaiting(unavailable(this.trouble));
      const timer = setTimeout(() => {
        this.restartTimers.delete(timer);
        this.restart();
      }, waitMs);
      this.restartTimers.add(timer);
      return;
    }
    this.counts.restarts++;
    void this.track(
      this.launch().catch((error: unknown) => {
        this.lastLoss = messageOf(error).replace(/\.$/, '');
        this.restart();
      }),
    );
  }

  /** Lets {@link stop} wait for the work. */
  private track(work: Promise<void>): Promise<void> {
    const settled: Promise<void> = work.then(
      () => void this.pending.delete(settled),
      () => void this.pending.delete(settled),
    );
    this.pending.add(settled);
    return work;
  }
}

function unavailable(reason: string): AppError {
  return new AppError('inference.unavailable', 'operational', `Frames cannot be inspected: ${reason}.`);
}

function stopped(): AppError {
  return unavailable('the monitor is stopping');
}

function failed(reason: string): AppError {
  return new AppError('inference.failed', 'operational', `A frame could not be inspected: ${reason}.`);
}

function timedOut(what: string): AppError {
  return new AppError('inference.timeout', 'operational', `A frame ${what}; watch fewer streams on this machine.`);
}
