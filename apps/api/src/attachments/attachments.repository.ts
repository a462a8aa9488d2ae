import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { In, type Repository } from 'typeorm';
import type { Transaction } from '../database/transaction.js';
import { AttachmentEntity } from './attachment.entity.js';

/** An attachment about to be kept. */
export type NewAttachment = Pick<AttachmentEntity, 'uploaderId' | 'name' | 'contentType' | 'size' | 'width' | 'height'>;

/** The table of attachments. */
@Injectable()
export class AttachmentsRepository {
  constructor(@InjectRepository(AttachmentEntity) private readonly rows: Repository<AttachmentEntity>) {}

  create(attachment: NewAttachment): Promise<AttachmentEntity> {
    return this.rows.save(this.rows.create({ ...attachment, messageId: null, position: 0 }));
  }

  async remove(id: string): Promise<void> {
    await this.rows.delete({ id });
  }

  countUnsent(uploaderId: string): Promise<number> {
    return this.rows
      .createQueryBuilder('a')
      .where('a.uploader_id = :uploaderId AND a.message_id IS NULL', { uploaderId })
      .getCount();
  }

  /** The attachment, if the user uploaded it or is one of the two of the message it was sent with. */
  findFor(userId: string, id: string): Promise<AttachmentEntity | null> {
    return this.rows
      .createQueryBuilder('a')
      .leftJoin('messages', 'm', 'm.id = a.message_id')
      .where('a.id = :id AND :userId::uuid IN (a.uploader_id, m.sender_id, m.recipient_id)', { id, userId })
      .getOne();
  }

  /** Attachments of messages, in their order. */
  ofMessages(messageIds: readonly string[]): Promise<AttachmentEntity[]> {
    return this.rows.find({ where: { messageId: In([...messageIds]) }, order: { position: 'ASC' } });
  }

  /** Ties unsent attachments of the user to a message. @returns how many could be. */
  async claim(tx: Transaction, uploaderId: string, messageId: string, ids: readonly string[]): Promise<number> {
    const rows = await tx.query<unknown[]>(
      `WITH claimed AS (
         UPDATE attachments a SET message_id = $2, position = wanted.position
         FROM unnest($3::uuid[]) WITH ORDINALITY AS wanted (id, position)
         WHERE a.id = wanted.id AND a.uploader_id = $1 AND a.message_id IS NULL
         RETURNING a.id)
       SELECT id FROM claimed`,
      [uploaderId, messageId, ids],
    );
    return rows.length;
  }

  /** Locks attachments without a message that are older; those that somebody else has locked are left out. */
  async lockUnsent(tx: Transaction, before: Date, limit: number): Promise<string[]> {
    const rows = await tx.query<{ id: string }[]>(
      `SELECT id FROM attachments WHERE message_id IS NULL AND created_at < $1
       ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED`,
      [before, limit],
    );
    return rows.map(({ id }) => id);
  }

  async removeAll(tx: Transaction, ids: readonly string[]): Promise<void> {
    await tx.delete(AttachmentEntity, { id: In([...ids]) });
  }
}
