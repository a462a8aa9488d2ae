import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Any, IsNull, type Repository } from 'typeorm';
import type { DetectionView } from '#libs/contracts/sockets.js';
import type { Transaction } from '../database/transaction.js';
import { NotificationEntity } from './notification.entity.js';
import { bodyOf, titleOf } from './notification-texts.js';

/** Which notifications of a user to list. */
interface NotificationFilter {
  unread: boolean;
  /** Only those before this sequence number. */
  before: string | null;
  /** Only those after this sequence number. */
  after: string | null;
  limit: number;
}

/** The table of notifications. */
@Injectable()
export class NotificationsRepository {
  constructor(@InjectRepository(NotificationEntity) private readonly rows: Repository<NotificationEntity>) {}

  /** Inserts one row for each detection and recipient in one statement. @returns the rows that are new. */
  async insertForDetections(tx: Transaction, detections: readonly DetectionView[]): Promise<NotificationEntity[]> {
    if (detections.length === 0) return [];
    const inserted = await tx.query<{ id: string }[]>(
      `INSERT INTO notifications (user_id, detection_id, stream_id, kind, title, body, severity)
       SELECT recipient.user_id, d.id, d.stream_id, 'detection', d.title, d.body, d.severity
       FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[])
            WITH ORDINALITY AS d (id, stream_id, title, body, severity, position)
       CROSS JOIN LATERAL (
         SELECT u.id AS user_id FROM users u
         WHERE u.disabled_at IS NULL
           AND (u.role = 'admin'
                OR EXISTS (SELECT 1 FROM assignments a WHERE a.stream_id = d.stream_id AND a.agent_id = u.id))
       ) recipient
       ORDER BY d.position
       ON CONFLICT (user_id, detection_id) DO NOTHING
       RETURNING id`,
      [
        detections.map(({ id }) => id),
        detections.map(({ streamId }) => streamId),
        detections.map(titleOf),
        detections.map(bodyOf),
        detections.map(({ severity }) => severity),
      ],
    );
    if (inserted.length === 0) return [];
    return tx.find(NotificationEntity, { where: { id: Any(inserted.map(({ id }) => id)) }, order: { seq: 'ASC' } });
  }

  /** Notifications of a user: newest first, or oldest first when `after` is given. */
  list(userId: string, filter: NotificationFilter): Promise<NotificationEntity[]> {
    const query = this.rows
      .createQueryBuilder('n')
      .where('n.userId = :userId', { userId })
      .orderBy('n.seq', filter.after === null ? 'DESC' : 'ASC')
      .limit(filter.limit);
    if (filter.unread) query.andWhere('n.readAt IS NULL');
    if (filter.before !== null) query.andWhere('n.seq < :before', { before: filter.before });
    if (filter.after !== null) query.andWhere('n.seq > :after', { after: filter.after });
    return query.getMany();
  }

  countUnread(userId: string): Promise<number> {
    return this.rows.countBy({ userId, readAt: IsNull() });
  }

  async countUnreadOf(userIds: readonly string[]): Promise<Map<string, number>> {
    const rows = await this.rows
      .createQueryBuilder('n')
      .select('n.user_id', 'userId')
      .addSelect('count(*)::int', 'unread')
      .where('n.user_id = ANY(:userIds) AND n.read_at IS NULL', { userIds })
      .groupBy('n.user_id')
      .getRawMany<{ userId: string; unread: number }>();
    return new Map(rows.map(({ userId, unread }) => [userId, unread]));
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
