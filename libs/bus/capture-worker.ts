import { WaitingError, Worker, type Job } from 'bullmq';
import { CaptureJob } from '#libs/contracts/captures.js';
import { QUEUES, captureJobId } from '#libs/contracts/names.js';
import { messageOf } from '#libs/errors/app-error.js';
import type { Logger } from '#libs/observability/logger.js';
import type { RedisConnection } from './redis.js';

/** Why a capture was told to end. */
export type StopCause = 'stopped' | 'shutdown' | 'lease_lost';

/** Watches one stream until the signal aborts; its reason is a {@link StopCause}. */
export type CaptureProcessor = (job: CaptureJob, signal: AbortSignal) => Promise<void>;

export interface CaptureWorkerOptions {
  /** How many streams are watched at once. */
  concurrency: number;
  /** Lease of a capture in ms; another monitor takes over after it was not renewed for so long. */
  lockMs: number;
}

/** Pause before a failed capture is tried again: 1 s, 2 s, 4 s … at most a minute, full jitter; ms. */
export function captureBackOff(attemptsMade: number): number {
  return Math.ceil(Math.random() * Math.min(60_000, 1_000 * 2 ** Math.min(attemptsMade - 1, 10)));
}

/** The monitor's end of the captures queue: takes jobs, keeps their leases, hands them back on shutdown. */
export class CaptureWorker {
  private readonly worker: Worker<CaptureJob>;
  private readonly running = new Map<
    string,
    { generation: number; controller: AbortController; done: Promise<void> }
  >();
  private shuttingDown = false;

  constructor(
    redis: RedisConnection,
    private readonly processor: CaptureProcessor,
    options: CaptureWorkerOptions,
    private readonly logger: Logger,
  ) {
    this.worker = new Worker<CaptureJob>(QUEUES.captures, (job, token) => this.run(job, token), {
      connection: redis,
      concurrency: options.concurrency,
      lockDuration: options.lockMs,
      stalledInterval: Math.max(1_000, Math.floor(options.lockMs / 2)),
      // The default of 1 loses a job for good when its worker is killed for the second time.
      maxStalledCount: 1_000_000,
      autorun: false,
      settings: { backoffStrategy: captureBackOff },
    });
    this.worker.on('error', (error) => logger.warn({ queue: QUEUES.captures }, error.message));
    this.worker.on('lockRenewalFailed', (jobIds) => {
      for (const [streamId, entry] of this.running) {
        if (jobIds.includes(captureJobId(streamId))) entry.controller.abort('lease_lost' satisfies StopCause);
      }
    });
  }

  /** Starts taking jobs. */
  start(): void {
    void this.worker.run();
  }

  /** Ends the capture of a stream when it is of that generation or older. */
  stop(streamId: string, upToGeneration: number): void {
    const entry = this.running.get(streamId);
    if (entry !== undefined && entry.generation <= upToGeneration) {
      entry.controller.abort('stopped' satisfies StopCause);
    }
  }

  /** Takes no more jobs, ends every capture and hands its job back, so that another monitor goes on at once. */
  async close(): Promise<void> {
    this.shuttingDown = true;
    // Closing comes first: from here on no job is fetched, so what is handed back is not taken again.
    const closed = this.worker.close();
    for (const { controller } of this.running.values()) controller.abort('shutdown' satisfies StopCause);
    await closed;
  }

  private async run(job: Job<CaptureJob>, token: string | undefined): Promise<void> {
    const parsed = CaptureJob.safeParse(job.data);
    if (!parsed.success) {
      this.logger.error({ jobId: job.id }, 'a capture job does not fit the contract and was dropped');
      return;
    }
    const data = parsed.data;
    const previous = this.running.get(data.streamId);
    if (previous !== undefined) {
      previous.controller.abort('lease_lost' satisfies StopCause);
      await previous.done.catch(() => undefined);
    }
    // A close wakes the fetch that is under way: what it still brings goes back untouched.
    if (this.shuttingDown) {
      await this.handBack(job, token);
      throw new WaitingError();
    }
    const controller = new AbortController();
    const done = this.processor(data, controller.signal);
    const entry = { generation: data.generation, controller, done };
    this.running.set(data.streamId, entry);
    const cause = (): unknown => controller.signal.reason as unknown;
    try {
      await done;
    } catch (error) {
      if (cause() !== ('shutdown' satisfies StopCause)) throw error;
      this.logger.warn({ streamId: data.streamId, error: messageOf(error) }, 'a capture failed while it was ended');
    } finally {
      if (this.running.get(data.streamId) === entry) this.running.delete(data.streamId);
    }
    // Only what the shutdown ended goes on elsewhere: a capture that was stopped, or is over, is done.
    if (cause() === ('shutdown' satisfies StopCause)) {
      await this.handBack(job, token);
      throw new WaitingError();
    }
  }

  private async handBack(job: Job<CaptureJob>, token: string | undefined): Promise<void> {
    try {
      await job.moveToWait(token);
    } catch (error) {
      this.logger.warn(
        { jobId: job.id, error: messageOf(error) },
        'a capture could not be handed back; its lease will run out',
      );
    }
  }
}
