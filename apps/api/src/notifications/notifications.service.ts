import { Injectable } from '@nestjs/common';
import type { DetectionView, NotificationView } from '#libs/contracts/sockets.js';
import { AppError } from '#libs/errors/app-error.js';
import type { Transaction } from '../database/transaction.js';
import type { AfterCommit } from '../detections/fact-handler.js';
import { AppEvents } from '../events/app-events.js';
import { decodeCursor, toPage, type Page } from '../http/pagination.js';
import { Alerting } from './alerting.js';
import { NotificationsRepository } from './notifications.repository.js';
import { Position, viewOf, type NotificationQuery, type ReadAllResult, type UnreadCount } from './notifications.dto.js';

/** Tells people what was detected, and keeps what they have read. */
@Injectable()
export class NotificationsService {
  constructor(
    private readonly repository: NotificationsRepository,
    private readonly events: AppEvents,
    private readonly alerting: Alerting,
  ) {}

  /**
   * Has people told of new detections inside the ingest's transaction: agents assigned to the stream, and admins.
   * @returns what tells the recipients once the transaction is committed.
   */
  forDetections(tx: Transaction, detections: readonly DetectionView[]): Promise<AfterCommit[]> {
    return this.alerting.raise(tx, detections);
  }

  /** The user's own: newest first, or oldest first after a sequence number. */
  async list(userId: string, { limit, cursor, unread, after }: NotificationQuery): Promise<Page<NotificationView>> {
    const [direction, seq] = decodeCursor(cursor, Position) ?? (after === undefined ? [] : ['after' as const, after]);
    const rows = await this.repository.list(userId, {
      unread: unread === true,
      before: direction === 'before' ? (seq ?? null) : null,
      after: direction === 'after' ? (seq ?? null) : null,
      limit: limit + 1,
    });
    return toPage(rows, limit, (row) => [direction ?? 'before', row.seq], viewOf);
  }

  async countUnread(userId: string): Promise<UnreadCount> {
    return { notifications: await this.repository.countUnread(userId) };
  }

  /** Unread notifications of each of these users; who has none is left out. */
  countUnreadOf(userIds: readonly string[]): Promise<Map<string, number>> {
    return this.repository.countUnreadOf(userIds);
  }

  /** Marking a read one again changes nothing. @throws AppError `notification.not_found`, also for another user's. */
  async markRead(userId: string, id: string): Promise<NotificationView> {
    const readAt = new Date();
    const changed = await this.repository.markRead(userId, id, readAt);
    const row = await this.repository.find(userId, id);
    if (row === null) {
      throw new AppError('notification.not_found', 'user', 'There is no such notification among yours.');
    }
    if (changed) {
      this.events.emit('notification.updated', { userId, update: { ids: [id], readAt: readAt.toISOString() } });
    }
    return viewOf(row);
  }

  async markAllRead(userId: string): Promise<ReadAllResult> {
    const readAt = new Date();
    const changed = await this.repository.markAllRead(userId, readAt);
    if (changed > 0) {
      this.events.emit('notification.updated', { userId, update: { ids: null, readAt: readAt.toISOString() } });
    }
    return { changed };
  }
}
