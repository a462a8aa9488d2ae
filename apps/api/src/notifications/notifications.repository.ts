import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Any, IsNull, Not, type Repository } from 'typeorm';
import type { Severity } from '#libs/contracts/primitives.js';
import type { UserRole } from '../auth/authenticated-user.js';
import type { Transaction } from '../database/transaction.js';
import { NotificationEntity } from './notification.entity.js';
import { takeTurn } from './notification-turn.js';

/** Which notifications of a user to list. */
interface NotificationFilter {
  unread: boolean;
  /** Only those before this sequence number. */
  before: string | null;
  /** Only those after this sequence number. */
  after: string | null;
  limit: number;
}

/** Whom a message is for. */
export type MessageTarget = { userIds: readonly string[] } | { role: UserRole };

/** What is said to them. */
export interface NewMessage {
  kind: 'message' | 'forward' | 'notice';
  title: string;
  body: string;
  severity: Severity;
  senderId?: string | null;
  note?: string;
  /** What is passed on. */
  original?: NotificationEntity | null;
}

/** The table of notifications. */
@Injectable()
export class NotificationsRepository {
  constructor(@InjectRepository(NotificationEntity) private readonly rows: Repository<NotificationEntity>) {}

  /** Tells users, or everybody of a role, who are not disabled. @returns the rows. */
  async insertMessage(target: MessageTarget, message: NewMessage): Promise<NotificationEntity[]> {
    const { kind, title, body, severity, senderId = null, note = '', original = null } = message;
    const [userIds, role] = 'role' in target ? [null, target.role] : [target.userIds, null];
    return this.rows.manager.transaction(async (tx) => {
      await takeTurn(tx);
      const inserted = await tx.query<{ id: string }[]>(
        `INSERT INTO notifications (user_id, kind, title, body, severity, sender_id, note, original_id, detection_id,
                                    stream_id, alert_id, modality)
         SELECT u.id, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, (SELECT kind FROM detections WHERE id = $10)
         FROM users u
         WHERE u.disabled_at IS NULL AND ($1::uuid[] IS NULL OR u.id = ANY($1)) AND ($2::text IS NULL OR u.role = $2)
         RETURNING id`,
        [
          ...[userIds, role, kind, title, body, severity, senderId, note, original?.id ?? null],
          ...[original?.detectionId ?? null, original?.streamId ?? null, original?.alertId ?? null],
        ],
      );
      return this.findAll(
        tx,
        inserted.map(({ id }) => id),
      );
    });
  }

  /** Rows of these ids, oldest first. */
  findAll(tx: Transaction, ids: readonly string[]): Promise<NotificationEntity[]> {
    return tx.find(NotificationEntity, { where: { id: Any([...ids]) }, order: { seq: 'ASC' } });
  }

  /** Notifications of a user: newest first, or oldest first when `after` is given. */
  list(userId: string, filter: NotificationFilter): Promise<NotificationEntity[]> {
    const query = this.rows
      .createQueryBuilder('n')
      .where('n.userId = :userId', { userId })
      .orderBy('n.seq', filter.after === null ? 'DESC' : 'ASC')
      .limit(filter.limit);
    if (filter.unread) query.andWhere('n.readAt IS NULL AND NOT n.silenced');
    if (filter.before !== null) query.andWhere('n.seq < :before', { before: filter.before });
    if (filter.after !== null) query.andWhere('n.seq > :after', { after: filter.after });
    return query.getMany();
  }

  countUnread(userId: string): Promise<number> {
    return this.rows.countBy({ userId, readAt: IsNull(), silenced: false });
  }

  async countUnreadOf(userIds: readonly string[]): Promise<Map<string, number>> {
    const rows = await this.rows
      .createQueryBuilder('n')
      .select('n.user_id', 'userId')
      .addSelect('count(*)::int', 'unread')
      .where('n.user_id = ANY(:userIds) AND n.read_at IS NULL AND NOT n.silenced', { userIds })
      .groupBy('n.user_id')
      .getRawMany<{ userId: string; unread: number }>();
    return new Map(rows.map(({ userId, unread }) => [userId, unread]));
  }

  /** Whether this user may look at the stream: an admin, or one of its agents. */
  async mayWatch(userIds: readonly string[], streamId: string): Promise<string[]> {
    const rows = await this.rows.query<{ id: string }[]>(
      `SELECT u.id FROM users u WHERE u.id = ANY($1) AND u.disabled_at IS NULL AND (u.role = 'admin'
         OR EXISTS (SELECT 1 FROM assignments a WHERE a.stream_id = $2 AND a.agent_id = u.id))`,
      [userIds, streamId],
    );
    return rows.map(({ id }) => id);
  }

  /** What a user has forwarded, newest first. */
  listForwarded(senderId: string, before: string | null, limit: number): Promise<NotificationEntity[]> {
    const query = this.rows
      .createQueryBuilder('n')
      .where(`n.senderId = :senderId AND n.kind = 'forward'`, { senderId })
      .orderBy('n.seq', 'DESC')
      .limit(limit);
    if (before !== null) query.andWhere('n.seq < :before', { before });
    return query.getMany();
  }

  async markUnread(userId: string, id: string): Promise<boolean> {
    const result = await this.rows.update({ userId, id, readAt: Not(IsNull()) }, { readAt: null });
    return (result.affected ?? 0) > 0;
  }

  /** Notes that its recipient takes it on; that is reading it, too. @returns whether it was not so already. */
  async acknowledge(tx: Transaction, userId: string, id: string): Promise<boolean> {
    const [, changed] = await tx.query<[unknown[], number]>(
      `UPDATE notifications SET acknowledged_at = now(), read_at = coalesce(read_at, now())
       WHERE id = $2 AND user_id = $1 AND acknowledged_at IS NULL`,
      [userId, id],
    );
    return changed > 0;
  }

  /** @param userId null for everybody's. @param id null for all. @returns how many are gone. */
  async remove(userId: string | null, id: string | null): Promise<number> {
    const [, count] = await this.rows.query<[unknown[], number]>(
      'DELETE FROM notifications WHERE ($1::uuid IS NULL OR user_id = $1) AND ($2::uuid IS NULL OR id = $2)',
      [userId, id],
    );
    return count;
  }

  findAny(id: string): Promise<NotificationEntity | null> {
    return this.rows.findOneBy({ id });
  }

  find(userId: string, id: string): Promise<NotificationEntity | null> {
    return this.rows.findOneBy({ userId, id });
  }

  /** Marks one of the user's as read, if it was not. @returns whether anything changed. */
  async markRead(userId: string, id: string, readAt: Date): Promise<boolean> {
    const result = await this.rows.update({ userId, id, readAt: IsNull() }, { readAt });
    return (result.affected ?? 0) > 0;
  }

  /** Marks all of the user's as read. @returns how many changed. */
  async markAllRead(userId: string, readAt: Date): Promise<number> {
    return (await this.rows.update({ userId, readAt: IsNull() }, { readAt })).affected ?? 0;
  }
}
