import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { In, type Repository } from 'typeorm';
import type { Transaction } from '../database/transaction.js';
import { MessageEntity } from './message.entity.js';

/** A message about to be written. */
export type NewRow = Pick<MessageEntity, 'senderId' | 'recipientId' | 'kind' | 'clientId' | 'body'>;

/** Which messages of a conversation to read. */
interface HistoryFilter {
  /** Only those before this sequence number. */
  before: string | null;
  /** Only those after this sequence number, oldest first. */
  after: string | null;
  limit: number;
}

/** A conversation as one side sees it, without its last message's content. */
interface ConversationRow {
  userId: string;
  username: string;
  name: string;
  lastSeq: string;
  unread: number;
}

/** The number up to which user `$1` has put a conversation `c` away. */
const PUT_AWAY = 'CASE WHEN c.low_user_id = $1 THEN c.low_deleted_through ELSE c.high_deleted_through END';

/** The tables of messages and conversations. */
@Injectable()
export class MessagingRepository {
  constructor(@InjectRepository(MessageEntity) private readonly rows: Repository<MessageEntity>) {}

  /**
   * Writes a message, those of one conversation one after another.
   * @returns the row, and whether it is new: the same sender's `clientId` gives the row that is there.
   */
  async insert(tx: Transaction, message: NewRow): Promise<{ row: MessageEntity; created: boolean } | null> {
    const { senderId, recipientId, kind, clientId, body } = message;
    const conversationId = await this.lock(tx, senderId, recipientId);
    const [made] = await tx.query<{ id: string; seq: string }[]>(
      `INSERT INTO messages (conversation_id, sender_id, recipient_id, kind, client_id, body)
       VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (sender_id, client_id) DO NOTHING RETURNING id, seq`,
      [conversationId, senderId, recipientId, kind, clientId, body],
    );
    if (made !== undefined) {
      await tx.query('UPDATE conversations SET last_seq = $2 WHERE id = $1', [conversationId, made.seq]);
    }
    const which = made === undefined && clientId !== null ? { senderId, clientId } : { id: made?.id ?? '' };
    const row = await tx.findOneBy(MessageEntity, which);
    return row === null ? null : { row, created: made !== undefined };
  }

  /** Messages of two users that the first has not put away: newest first, or oldest first with `after`. */
  list(userId: string, otherId: string, { before, after, limit }: HistoryFilter): Promise<MessageEntity[]> {
    const query = this.rows
      .createQueryBuilder('m')
      .innerJoin('conversations', 'c', 'c.id = m.conversation_id')
      .where('c.low_user_id = least(:userId::uuid, :otherId::uuid)', { userId, otherId })
      .andWhere('c.high_user_id = greatest(:userId::uuid, :otherId::uuid)')
      .andWhere(`m.seq > ${PUT_AWAY.replace('$1', ':userId')}`)
      .orderBy('m.seq', after === null ? 'DESC' : 'ASC')
      .limit(limit);
    if (before !== null) query.andWhere('m.seq < :before', { before });
    if (after !== null) query.andWhere('m.seq > :after', { after });
    return query.getMany();
  }

  /** The user's conversations that hold anything, the one with the newest message first. */
  conversations(userId: string, before: string | null, limit: number): Promise<ConversationRow[]> {
    return this.rows.manager.query<ConversationRow[]>(
      `SELECT u.id AS "userId", u.username, u.name, c.last_seq AS "lastSeq",
         (SELECT count(*)::int FROM messages m WHERE m.conversation_id = c.id AND m.recipient_id = $1
            AND m.read_at IS NULL AND m.seq > ${PUT_AWAY}) AS unread
       FROM conversations c
       JOIN users u ON u.id = CASE WHEN c.low_user_id = $1 THEN c.high_user_id ELSE c.low_user_id END
       WHERE $1 IN (c.low_user_id, c.high_user_id) AND c.last_seq > ${PUT_AWAY}
         AND ($2::bigint IS NULL OR c.last_seq < $2)
       ORDER BY c.last_seq DESC LIMIT $3`,
      [userId, before, limit],
    );
  }

  bySeqs(seqs: readonly string[]): Promise<MessageEntity[]> {
    return this.rows.findBy({ seq: In([...seqs]) });
  }

  /** Marks messages to the user as read, those of `ids` that were not. @returns those that changed. */
  markRead(userId: string, ids: readonly string[], readAt: Date): Promise<{ id: string; seq: string; by: string }[]> {
    return this.rows.manager.query(
      `WITH changed AS (
         UPDATE messages SET read_at = $3 WHERE recipient_id = $1 AND id = ANY($2::uuid[]) AND read_at IS NULL
         RETURNING id, seq, sender_id)
       SELECT id, seq, sender_id AS by FROM changed ORDER BY seq`,
      [userId, ids, readAt],
    );
  }

  /** Marks all messages of one user to another as read. @returns how many changed, and the newest's number. */
  async markAllRead(userId: string, otherId: string, readAt: Date): Promise<{ changed: number; seq: string | null }> {
    const [result] = await this.rows.manager.query<{ changed: number; seq: string | null }[]>(
      `WITH changed AS (
         UPDATE messages m SET read_at = $3 FROM conversations c
         WHERE c.low_user_id = least($1::uuid, $2::uuid) AND c.high_user_id = greatest($1::uuid, $2::uuid)
           AND m.conversation_id = c.id AND m.recipient_id = $1 AND m.read_at IS NULL AND m.seq > ${PUT_AWAY}
         RETURNING m.seq)
       SELECT count(*)::int AS changed, max(seq) AS seq FROM changed`,
      [userId, otherId, readAt],
    );
    return result ?? { changed: 0, seq: null };
  }

  /** Puts what two users wrote away on the side of the first; the other keeps it. */
  async putAway(userId: string, otherId: string): Promise<void> {
    await this.rows.manager.query(
      `UPDATE conversations SET
         low_deleted_through = CASE WHEN low_user_id = $1 THEN last_seq ELSE low_deleted_through END,
         high_deleted_through = CASE WHEN high_user_id = $1 THEN last_seq ELSE high_deleted_through END
       WHERE low_user_id = least($1::uuid, $2::uuid) AND high_user_id = greatest($1::uuid, $2::uuid)`,
      [userId, otherId],
    );
  }

  /** Unread messages of each of these users; who has none is left out. */
  async countUnreadOf(userIds: readonly string[]): Promise<Map<string, number>> {
    const rows = await this.rows.manager.query<{ userId: string; unread: number }[]>(
      `SELECT m.recipient_id AS "userId", count(*)::int AS unread
       FROM messages m JOIN conversations c ON c.id = m.conversation_id
       WHERE m.recipient_id = ANY($1::uuid[]) AND m.read_at IS NULL
         AND m.seq > ${PUT_AWAY.replace('$1', 'm.recipient_id')}
       GROUP BY m.recipient_id`,
      [userIds],
    );
    return new Map(rows.map(({ userId, unread }) => [userId, unread]));
  }

  /** With whom each of these users has a conversation, of those named. */
  async partnersOf(userIds: readonly string[], among: readonly string[]): Promise<Map<string, string[]>> {
    const rows = await this.rows.manager.query<{ userId: string; partnerId: string }[]>(
      `SELECT low_user_id AS "userId", high_user_id AS "partnerId" FROM conversations
       WHERE low_user_id = ANY($1::uuid[]) AND high_user_id = ANY($2::uuid[])
       UNION ALL
       SELECT high_user_id, low_user_id FROM conversations
       WHERE high_user_id = ANY($1::uuid[]) AND low_user_id = ANY($2::uuid[])`,
      [userIds, among],
    );
    const partners = new Map<string, string[]>();
    for (const { userId, partnerId } of rows) partners.set(userId, [...(partners.get(userId) ?? []), partnerId]);
    return partners;
  }

  /** Name of a stream, null when there is none. */
  async streamName(streamId: string): Promise<string | null> {
    const [row] = await this.rows.manager.query<{ name: string }[]>('SELECT name FROM streams WHERE id = $1', [
      streamId,
    ]);
    return row?.name ?? null;
  }

  private async lock(tx: Transaction, one: string, other: string): Promise<string> {
    const [row] = await tx.query<{ id: string }[]>(
      `INSERT INTO conversations (low_user_id, high_user_id)
       VALUES (least($1::uuid, $2::uuid), greatest($1::uuid, $2::uuid))
       ON CONFLICT (low_user_id, high_user_id) DO UPDATE SET last_seq = conversations.last_seq RETURNING id`,
      [one, other],
    );
    return row?.id ?? '';
  }
}
