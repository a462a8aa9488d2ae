import { Inject, Injectable } from '@nestjs/common';
import { DeliveryQueue, type QueuedDelivery } from '#libs/bus/delivery-queue.js';
import { messageOf } from '#libs/errors/app-error.js';
import type { Logger } from '#libs/observability/logger.js';
import { LOGGER } from '../../runtime.module.js';
import type { NewDelivery } from '../policy/decide.js';

/** Puts deliveries that are committed onto their queues; what cannot be put there now the auditor finds. */
@Injectable()
export class Outbox {
  constructor(
    private readonly jobs: DeliveryQueue,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** Never rejects. Digests that joined one that was there have no row of their own, so their job does nothing. */
  async queue(deliveries: readonly NewDelivery[]): Promise<void> {
    const now = Date.now();
    await this.add(
      deliveries.map(({ id, dispatch }) => ({
        ...{ deliveryId: id, attempt: 0, channel: dispatch.route.channel, delayMs: dispatch.dueAt - now },
      })),
    );
  }

  /** Never rejects. */
  async add(deliveries: readonly QueuedDelivery[]): Promise<void> {
    if (deliveries.length === 0) return;
    try {
      await this.jobs.add(deliveries);
    } catch (error) {
      this.logger.warn({ fault: messageOf(error), count: deliveries.length }, 'deliveries wait for the audit');
    }
  }
}
