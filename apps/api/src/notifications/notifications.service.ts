import { Injectable } from '@nestjs/common';
import type { DetectionView } from '#libs/contracts/sockets.js';
import type { Transaction } from '../database/transaction.js';
import type { AfterCommit } from '../detections/fact-handler.js';
import { AppEvents } from '../events/app-events.js';
import { NotificationsRepository } from './notifications.repository.js';
import { viewOf } from './notifications.dto.js';

/** Tells people what was detected, and keeps what they have read. */
@Injectable()
export class NotificationsService {
  constructor(
    private readonly repository: NotificationsRepository,
    private readonly events: AppEvents,
  ) {}

  /**
   * Writes one notification for each detection and recipient (agents assigned to the stream, all enabled admins)
   * inside the ingest's transaction. One that exists already is left alone.
   * @returns what tells the recipients once the transaction is committed; nothing for what existed already.
   */
  async forDetections(tx: Transaction, detections: readonly DetectionView[]): Promise<AfterCommit[]> {
    const created = await this.repository.insertForDetections(tx, detections);
    return created.map((row) => () => {
      this.events.emit('notification.created', { userId: row.userId, notification: viewOf(row) });
    });
  }
}
