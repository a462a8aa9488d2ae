import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { Queue } from 'bullmq';
import { CaptureJob } from '#libs/contracts/captures.js';
import { QUEUES, deliveriesQueue } from '#libs/contracts/names.js';
import { DeliveryJob } from './delivery-queue.js';
import type { RedisConnection } from './redis.js';

/**
 * What is shown of a job; a field that is not named here is not shown. The address of a stream and the options of a
 * chat are left out: they may hold credentials.
 */
const ShownCapture = CaptureJob.pick({
  ...{ v: true, streamId: true, generation: true, name: true, platform: true, priority: true, parts: true },
  language: true,
});

/** The queues as Bull Board shows them: to be looked at alone. */
export class QueueBoard {
  private readonly queues: Queue[] = [];

  constructor(private readonly redis: RedisConnection) {}

  /** Whether Redis can be asked now; without it Bull Board would wait for ever. */
  get isReady(): boolean {
    return this.redis.status === 'ready';
  }

  /** Every queue there is, as Bull Board takes it. @param channels ids of the channels of notifications. */
  adapters(channels: readonly string[]): BullMQAdapter[] {
    return [
      this.adapter(
        QUEUES.captures,
        ShownCapture,
        'One job is one stream that is watched, or that waits for a monitor.',
      ),
      ...channels.map((channel) =>
        this.adapter(
          deliveriesQueue(channel),
          DeliveryJob,
          `Attempts to notify over ${channel} that are due or planned.`,
        ),
      ),
    ];
  }

  async close(): Promise<void> {
    await Promise.all(this.queues.map((queue) => queue.close()));
  }

  private adapter(name: string, shown: typeof ShownCapture | typeof DeliveryJob, description: string): BullMQAdapter {
    const queue = new Queue(name, { connection: this.redis });
    // The connection logs its faults itself; without a listener the queue prints every retry.
    queue.on('error', () => undefined);
    this.queues.push(queue);
    const adapter = new BullMQAdapter(queue, { readOnlyMode: true, description });
    adapter.setFormatter('data', (data: unknown) => shown.safeParse(data).data ?? 'It does not fit the contract.');
    adapter.setFormatter('returnValue', () => null);
    return adapter;
  }
}
