import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { AuthenticatedUser } from '../auth/authenticated-user.js';
import type { Transaction } from '../database/transaction.js';

/** Whom a chat speaks for, as it is at this moment. */
export interface LinkedUser extends AuthenticatedUser {
  mustChangePassword: boolean;
}

/** Which chat is whose, and the codes that make it so. */
@Injectable()
export class TelegramLinksRepository {
  constructor(private readonly dataSource: DataSource) {}

  /** Since when a user has a chat, null without one. */
  async linkedAt(userId: string): Promise<Date | null> {
    const [row] = await this.dataSource.query<{ linked_at: Date }[]>(
      'SELECT linked_at FROM telegram_links WHERE user_id = $1',
      [userId],
    );
    return row?.linked_at ?? null;
  }

  /** The user of a chat, null for a chat of nobody, or of somebody disabled. */
  async userOf(chatId: string): Promise<LinkedUser | null> {
    const [row] = await this.dataSource.query<LinkedUser[]>(
      `SELECT u.id, u.username, u.role, u.must_change_password AS "mustChangePassword"
       FROM telegram_links t JOIN users u ON u.id = t.user_id WHERE t.chat_id = $1 AND u.disabled_at IS NULL`,
      [chatId],
    );
    return row ?? null;
  }

  /** Has a code stand for a user; the one before it is void. */
  async setCode(userId: string, codeHash: string, expiresAt: Date): Promise<void> {
    await this.dataSource.query(
      `INSERT INTO telegram_codes (user_id, code_hash, expires_at) VALUES ($1, $2, $3)
       ON CONFLICT (user_id) DO UPDATE SET code_hash = excluded.code_hash, expires_at = excluded.expires_at`,
      [userId, codeHash, expiresAt],
    );
  }

  /** Uses a code up. @returns whose it was, null when it is not good; of two at once one is. */
  async use(tx: Transaction, codeHash: string): Promise<AuthenticatedUser | null> {
    const [rows] = await tx.query<[AuthenticatedUser[], number]>(
      `DELETE FROM telegram_codes c USING users u
       WHERE c.code_hash = $1 AND c.expires_at > now() AND u.id = c.user_id AND u.disabled_at IS NULL
       RETURNING u.id, u.username, u.role`,
      [codeHash],
    );
    return rows[0] ?? null;
  }

  /** Makes a chat a user's, and nobody else's; the user's chat before it is left. */
  async link(tx: Transaction, userId: string, chatId: string): Promise<void> {
    await tx.query('DELETE FROM telegram_links WHERE chat_id = $2 AND user_id <> $1', [userId, chatId]);
    await tx.query(
      `INSERT INTO telegram_links (user_id, chat_id) VALUES ($1, $2)
       ON CONFLICT (user_id) DO UPDATE SET chat_id = excluded.chat_id, linked_at = now()`,
      [userId, chatId],
    );
  }

  /** Takes the link and an open code away. @returns whether there was a link. */
  async unlink(tx: Transaction, userId: string): Promise<boolean> {
    await tx.query('DELETE FROM telegram_codes WHERE user_id = $1', [userId]);
    const [, count] = await tx.query<[unknown[], number]>('DELETE FROM telegram_links WHERE user_id = $1', [userId]);
    return count > 0;
  }
}
