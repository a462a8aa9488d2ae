import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { AppError } from '#libs/errors/app-error.js';
import { AuditTrail } from '../../audit/audit-trail.js';
import type { AuthenticatedUser } from '../../auth/authenticated-user.js';
import { decodeCursor, toPage, type Page, type PageQuery } from '../../http/pagination.js';
import { NotificationsService } from '../notifications.service.js';
import {
  viewOf,
  type DeliveryList,
  type DeliveryView,
  type RedriveRequest,
  type RedriveResult,
} from './deliveries.dto.js';
import { DeliveriesRepository, type DeliveryRow } from './deliveries.repository.js';
import { Outbox } from './outbox.js';

const Position = z.tuple([z.uuid()]);
/** Dead letters that are driven anew at once. */
const MOST = 1_000;

/** What became of deliveries, and another try for those that failed. */
@Injectable()
export class DeliveriesService {
  constructor(
    private readonly repository: DeliveriesRepository,
    private readonly notifications: NotificationsService,
    private readonly outbox: Outbox,
    private readonly audit: AuditTrail,
  ) {}

  /** Of one of the user's own notifications; of anybody's for an admin. @throws AppError `notification.not_found`. */
  async ofNotification(viewer: AuthenticatedUser, notificationId: string): Promise<DeliveryList> {
    if (viewer.role !== 'admin') await this.notifications.get(viewer.id, notificationId);
    else await this.notifications.getAny(notificationId);
    return { items: (await this.repository.ofNotification(notificationId)).map(viewOf) };
  }

  /**
   * Has one that is not sent yet, or was given up, go out now.
   * @throws AppError `delivery.not_found`, `delivery.conflict` when it is sent or being sent.
   */
  async retry(viewer: AuthenticatedUser, id: string): Promise<DeliveryView> {
    const row = await this.repository.find(id);
    if (row === null || (viewer.role !== 'admin' && row.userId !== viewer.id)) {
      throw new AppError('delivery.not_found', 'user', 'There is no such delivery among yours.');
    }
    const hastened = await this.repository.hasten(id);
    if (hastened === null) {
      throw new AppError('delivery.conflict', 'user', 'It is sent already, or is being sent: nothing to do.');
    }
    await this.queue([hastened]);
    await this.audit.record({ action: 'delivery.retried', target: { type: 'delivery', id, name: row.channel } });
    return viewOf(hastened);
  }

  /** Deliveries that were given up. */
  async dead({ limit, cursor }: PageQuery): Promise<Page<DeliveryView>> {
    const rows = await this.repository.dead(decodeCursor(cursor, Position)?.[0] ?? null, limit + 1);
    return toPage(rows, limit, (row) => [row.id], viewOf);
  }

  /** Drives dead deliveries anew, from the beginning of the schedule. */
  async redrive({ ids }: RedriveRequest): Promise<RedriveResult> {
    const rows = await this.repository.redrive(ids ?? null, MOST);
    await this.queue(rows);
    const target = { type: 'delivery', id: '', name: 'dead letters' };
    await this.audit.record({ action: 'delivery.redriven', target, after: { redriven: rows.length } });
    return { redriven: rows.length };
  }

  private async queue(rows: readonly DeliveryRow[]): Promise<void> {
    await this.outbox.add(
      rows.map(({ id, channel, attempts }) => ({ deliveryId: id, channel, attempt: attempts, delayMs: 0 })),
    );
  }
}
