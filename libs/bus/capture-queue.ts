import { Queue } from 'bullmq';
import { CaptureCommand, CaptureJob } from '#libs/contracts/captures.js';
import { CHANNELS, QUEUES, captureJobId } from '#libs/contracts/names.js';
import { HintPublisher } from './channels.js';
import type { RedisConnection } from './redis.js';

/** Captures listed at most. */
const MOST_CAPTURES = 10_000;

/** A capture as the queue holds it. */
export interface QueuedCapture {
  streamId: string;
  generation: number;
  /** `active`: some monitor watches; `waiting`: none has taken it yet. */
  state: 'active' | 'waiting';
}

/** The api's end of the captures queue. All methods are idempotent: the reconciler repeats them. */
export class CaptureQueue {
  private readonly queue: Queue<CaptureJob>;
  private readonly hints: HintPublisher;

  constructor(redis: RedisConnection) {
    this.queue = new Queue<CaptureJob>(QUEUES.captures, { connection: redis });
    // The connection logs its faults itself; without a listener the queue prints every retry.
    this.queue.on('error', () => undefined);
    this.hints = new HintPublisher(redis);
  }

  /** Asks for a stream to be watched; nothing happens when it is queued or watched already. */
  async add(job: CaptureJob): Promise<void> {
    await this.queue.add('capture', CaptureJob.parse(job), {
      jobId: captureJobId(job.streamId),
      priority: job.priority,
      attempts: 1_000_000,
      // The worker's own: BullMQ's exponential back-off has no upper bound.
      backoff: { type: 'capped' },
      removeOnComplete: true,
      removeOnFail: true,
    });
  }

  /** Takes a waiting capture out, and tells the monitor of an active one to stop. */
  async stop(streamId: string, upToGeneration: number): Promise<void> {
    const job = await this.queue.getJob(captureJobId(streamId));
    if (job !== undefined && job.data.generation <= upToGeneration && !(await job.isActive())) {
      await job.remove().catch(() => undefined);
    }
    await this.hints.publish(CHANNELS.captures, CaptureCommand, { v: 1, command: 'stop', streamId, upToGeneration });
  }

  /** Every capture in the queue, by stream. */
  async list(): Promise<Map<string, QueuedCapture>> {
    const captures = new Map<string, QueuedCapture>();
    for (const state of ['waiting', 'prioritized', 'delayed', 'active'] as const) {
      for (const job of await this.queue.getJobs([state], 0, MOST_CAPTURES - 1)) {
        // A job may vanish between the listing and the reading of its data.
        const data = CaptureJob.safeParse((job as typeof job | undefined)?.data);
        if (!data.success) continue;
        const { streamId, generation } = data.data;
        captures.set(streamId, { streamId, generation, state: state === 'active' ? 'active' : 'waiting' });
      }
    }
    return captures;
  }

  /** How many captures there are, by state; `waiting` for those that no monitor has taken yet. */
  async counts(): Promise<{ active: number; waiting: number }> {
    const { active = 0, ...others } = await this.queue.getJobCounts('active', 'waiting', 'prioritized', 'delayed');
    return { active, waiting: Object.values(others).reduce((sum, count) => sum + count, 0) };
  }

  async close(): Promise<void> {
    await this.queue.close();
  }
}
