import { Injectable } from '@nestjs/common';
import { DeliveryQueue } from '#libs/bus/delivery-queue.js';
import { Deliverer } from './deliverer.js';
import { DeliveriesRepository } from './deliveries.repository.js';

/** Rows of one look. */
const PAGE = 500;

/** Finds deliveries that are due, or soon will be, and that no job stands for, and queues them anew. */
@Injectable()
export class DeliveryAuditor {
  constructor(
    private readonly deliveries: DeliveriesRepository,
    private readonly jobs: DeliveryQueue,
    private readonly deliverer: Deliverer,
  ) {}

  /**
   * Looks through all that are open.
   * @param soonMs how far ahead: what is due before the next audit must have its job.
   * @returns how many were orphans.
   * @throws when the database or Redis is away.
   */
  async audit(soonMs: number): Promise<number> {
    let orphans = 0;
    let after: string | null = null;
    for (;;) {
      const rows = await this.deliveries.open(soonMs, this.deliverer.goneMs, after, PAGE);
      for (const channel of new Set(rows.map((row) => row.channel))) {
        const attempts = rows
          .filter((row) => row.channel === channel)
          .map(({ id, attempts: attempt, dueAt }) => ({ deliveryId: id, attempt, dueAt }));
        const known = await this.jobs.known(channel, attempts);
        const lost = attempts.filter(({ deliveryId }) => !known.has(deliveryId));
        const now = Date.now();
        await this.jobs.add(
          lost.map(({ deliveryId, attempt, dueAt }) => ({
            ...{ channel, deliveryId, attempt, delayMs: dueAt.getTime() - now },
          })),
        );
        orphans += lost.length;
      }
      after = rows.at(-1)?.id ?? null;
      if (rows.length < PAGE) return orphans;
    }
  }
}
