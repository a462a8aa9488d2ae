import { Injectable } from '@nestjs/common';
import type { DetectionView, NotificationView } from '#libs/contracts/sockets.js';
import { AppError } from '#libs/errors/app-error.js';
import { AuditTrail } from '../audit/audit-trail.js';
import type { AuthenticatedUser } from '../auth/authenticated-user.js';
import { TransactionRunner, type Transaction } from '../database/transaction.js';
import type { AfterCommit } from '../detections/fact-handler.js';
import { AppEvents } from '../events/app-events.js';
import { decodeCursor, toPage, type Page, type PageQuery } from '../http/pagination.js';
import { Alerting } from './alerting.js';
import { EscalationsRepository } from './escalations.repository.js';
import type { NotificationEntity } from './notification.entity.js';
import { NotificationsRepository, type MessageTarget } from './notifications.repository.js';
import {
  Position,
  viewOf,
  type DeletedResult,
  type ForwardRequest,
  type NotificationQuery,
  type ReadAllResult,
  type SendNotificationRequest,
  type SentResult,
  type UnreadCount,
} from './notifications.dto.js';

/** Tells people what was detected, and keeps what they have read. */
@Injectable()
export class NotificationsService {
  constructor(
    private readonly repository: NotificationsRepository,
    private readonly events: AppEvents,
    private readonly alerting: Alerting,
    private readonly escalations: EscalationsRepository,
    private readonly transactions: TransactionRunner,
    private readonly audit: AuditTrail,
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
    const row = await this.own(userId, id);
    if (changed) {
      this.events.emit('notification.updated', { userId, update: { ids: [id], readAt: readAt.toISOString() } });
    }
    return viewOf(row);
  }

  /** @throws AppError `notification.not_found`, also for another user's. */
  async get(userId: string, id: string): Promise<NotificationView> {
    return viewOf(await this.own(userId, id));
  }

  /** Whoever's it is, for admins. @throws AppError `notification.not_found`. */
  async getAny(id: string): Promise<NotificationView> {
    const row = await this.repository.findAny(id);
    if (row === null) throw notificationNotFound();
    return viewOf(row);
  }

  /** @throws AppError `notification.not_found`, also for another user's. */
  async markUnread(userId: string, id: string): Promise<NotificationView> {
    const changed = await this.repository.markUnread(userId, id);
    const row = await this.own(userId, id);
    if (changed) this.events.emit('notification.updated', { userId, update: { ids: [id], readAt: null } });
    return viewOf(row);
  }

  /**
   * The user takes it on: the alert behind it is escalated no further. @throws AppError `notification.not_found`.
   */
  async acknowledge(userId: string, id: string): Promise<NotificationView> {
    const { alertId } = await this.own(userId, id);
    const changed = await this.transactions.run(async (tx) => {
      if (alertId !== null) await this.escalations.acknowledge(tx, alertId, userId);
      return this.repository.acknowledge(tx, userId, id);
    });
    const view = viewOf(await this.own(userId, id));
    if (changed) {
      const { readAt, acknowledgedAt } = view;
      this.events.emit('notification.updated', { userId, update: { ids: [id], readAt, acknowledgedAt } });
    }
    return view;
  }

  /** Tells users something, as an admin. */
  async send(sender: AuthenticatedUser, request: SendNotificationRequest): Promise<SentResult> {
    const { userIds, role, title, body, severity } = request;
    const target: MessageTarget = role === undefined ? { userIds: userIds ?? [] } : { role };
    const rows = await this.repository.insertMessage(target, {
      ...{ kind: 'message', title, body, severity, senderId: sender.id },
    });
    this.tell(rows);
    await this.audit.record({
      action: 'notification.sent',
      target: { type: 'notification', id: rows[0]?.id ?? '', name: title },
      after: { ...target, title, severity, recipients: rows.length },
    });
    return { sent: rows.length };
  }

  /**
   * Passes one of the user's on to colleagues, all of whom must be allowed to see its stream.
   * @throws AppError `notification.not_found`, `notification.recipient.forbidden`.
   */
  async forward(sender: AuthenticatedUser, id: string, { userIds, note }: ForwardRequest): Promise<SentResult> {
    const original = await this.own(sender.id, id);
    const wanted = [...new Set(userIds)];
    if (original.streamId !== null) {
      const allowed = await this.repository.mayWatch(wanted, original.streamId);
      if (allowed.length < wanted.length) {
        const advice = 'Not all of them may see this stream: assign them to it first, or leave them out.';
        throw new AppError('notification.recipient.forbidden', 'user', advice);
      }
    }
    const { title, body, severity } = original;
    const rows = await this.repository.insertMessage(
      { userIds: wanted },
      { kind: 'forward', title, body, severity, senderId: sender.id, note, original },
    );
    this.tell(rows);
    return { sent: rows.length };
  }

  /** What the user has forwarded, newest first. */
  async forwarded(userId: string, { limit, cursor }: PageQuery): Promise<Page<NotificationView>> {
    const [, seq] = decodeCursor(cursor, Position) ?? [];
    const rows = await this.repository.listForwarded(userId, seq ?? null, limit + 1);
    return toPage(rows, limit, (row) => ['before', row.seq], viewOf);
  }

  /** @throws AppError `notification.not_found`, also for another user's. */
  async remove(userId: string, id: string): Promise<void> {
    if ((await this.repository.remove(userId, id)) === 0) throw notificationNotFound();
    this.events.emit('notification.updated', { userId, update: { ids: [id], readAt: null, deleted: true } });
  }

  /** The user's own; everybody's when an admin says so. @throws AppError `notification.all.forbidden`. */
  async removeAll(user: AuthenticatedUser, everybodys: boolean): Promise<DeletedResult> {
    if (everybodys && user.role !== 'admin') {
      throw new AppError('notification.all.forbidden', 'user', "Only admins may delete everybody's notifications.");
    }
    const deleted = await this.repository.remove(everybodys ? null : user.id, null);
    if (everybodys) {
      const target = { type: 'notification', id: '', name: 'all' };
      await this.audit.record({ action: 'notification.deleted_all', target, after: { deleted } });
    }
    this.events.emit('notification.updated', { userId: user.id, update: { ids: null, readAt: null, deleted: true } });
    return { deleted };
  }

  private async own(userId: string, id: string): Promise<NotificationEntity> {
    const row = await this.repository.find(userId, id);
    if (row === null) throw notificationNotFound();
    return row;
  }

  private tell(rows: readonly NotificationEntity[]): void {
    for (const row of rows) {
      this.events.emit('notification.created', { userId: row.userId, notification: viewOf(row) });
    }
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

function notificationNotFound(): AppError {
  return new AppError('notification.not_found', 'user', 'There is no such notification among yours.');
}
