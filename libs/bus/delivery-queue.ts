import { Queue, Worker } from 'bullmq';
import { z } from 'zod';
import { deliveriesQueue, deliveryJobId } from '#libs/contracts/names.js';
import type { Logger } from '#libs/observability/logger.js';
import { within } from './deadline.js';
import type { RedisConnection } from './redis.js';

/** Redis is asked for so long at most, in ms. */
const PATIENCE_MS = 2_000;

/** One attempt of a delivery: the row in the database is the truth, a job only says that it is due. */
export const DeliveryJob = z.object({ deliveryId: z.uuid(), attempt: z.number().int().nonnegative() });
export type DeliveryJob = z.infer<typeof DeliveryJob>;

/** An attempt about to be queued. */
export interface QueuedDelivery extends DeliveryJob {
  channel: string;
  /** Time until it is due, ms. */
  delayMs: number;
}

/** The queues of deliveries, one a channel. Adding is idempotent: the auditor repeats it. */
export class DeliveryQueue {
  private readonly queues = new Map<string, Queue<DeliveryJob>>();

  constructor(private readonly redis: RedisConnection) {}

  /** @throws AppError `redis.unavailable`; the auditor then finds the rows. */
  async add(deliveries: readonly QueuedDelivery[]): Promise<void> {
    for (const channel of new Set(deliveries.map((delivery) => delivery.channel))) {
      const own = deliveries.filter((delivery) => delivery.channel === channel);
      const jobs = own.map(({ deliveryId, attempt, delayMs }) => ({
        name: 'delivery',
        data: { deliveryId, attempt },
        opts: {
          jobId: deliveryJobId(deliveryId, attempt),
          delay: Math.max(0, Math.ceil(delayMs)),
          attempts: 1,
          removeOnComplete: true,
          removeOnFail: true,
        },
      }));
      await within(PATIENCE_MS, this.of(channel).addBulk(jobs));
    }
  }

  /** Which of these attempts have a job. @throws AppError `redis.unavailable`. */
  async known(channel: string, attempts: readonly DeliveryJob[]): Promise<Set<string>> {
    const found = new Set<string>();
    for (const { deliveryId, attempt } of attempts) {
      const job = await within(PATIENCE_MS, this.of(channel).getJob(deliveryJobId(deliveryId, attempt)));
      if (job !== undefined) found.add(deliveryId);
    }
    return found;
  }

  async close(): Promise<void> {
    for (const queue of this.queues.values()) await queue.close();
  }

  private of(channel: string): Queue<DeliveryJob> {
    let queue = this.queues.get(channel);
    if (queue === undefined) {
      queue = new Queue<DeliveryJob>(deliveriesQueue(channel), { connection: this.redis });
      // The connection logs its faults itself; without a listener the queue prints every retry.
      queue.on('error', () => undefined);
      this.queues.set(channel, queue);
    }
    return queue;
  }
}

export interface DeliveryWorkerOptions {
  /** Attempts under way at once in this process. */
  concurrency: number;
  /** Lease of an attempt, ms: after it an attempt whose worker died is made again. Longer than an attempt may take. */
  lockMs: number;
}

/** Takes the attempts of one channel. */
export class DeliveryWorker {
  private readonly worker: Worker<DeliveryJob>;

  /** @param process makes the attempt and notes what became of it in the row; what it throws is logged. */
  constructor(
    redis: RedisConnection,
    channel: string,
    process: (job: DeliveryJob) => Promise<void>,
    { concurrency, lockMs }: DeliveryWorkerOptions,
    logger: Logger,
  ) {
    this.worker = new Worker<DeliveryJob>(
      deliveriesQueue(channel),
      async (job) => {
        const parsed = DeliveryJob.safeParse(job.data);
        if (parsed.success) await process(parsed.data);
      },
      {
        connection: redis,
        concurrency,
        lockDuration: lockMs,
        stalledInterval: lockMs,
        // The row counts the attempts; a job is repeated however often its worker dies.
        maxStalledCount: 1_000_000,
        autorun: false,
      },
    );
    this.worker.on('error', (error) => logger.warn({ channel, fault: error.message }, 'deliveries wait'));
    this.worker.on('failed', (_job, error) =>
      logger.warn({ channel, fault: error.message }, 'an attempt to deliver could not be made; it will be audited'),
    );
  }

  start(): void {
    void this.worker.run();
  }

  /** Takes no more, and waits for attempts at hand. */
  async close(): Promise<void> {
    await this.worker.close();
  }
}
