import { Injectable } from '@nestjs/common';
import { DataSource, MoreThan } from 'typeorm';
import type { Transaction } from '../../database/transaction.js';
import { PasswordResetEntity } from './password-reset.entity.js';

/** Codes of one user that are good at once; whoever asks in another's name cannot void the others at will. */
const MOST_CODES = 5;

/** The table of reset codes. */
@Injectable()
export class PasswordResetsRepository {
  constructor(private readonly dataSource: DataSource) {}

  async create(userId: string, codeHash: string, expiresAt: Date): Promise<void> {
    const { manager } = this.dataSource;
    await manager.query('DELETE FROM password_resets WHERE expires_at < now()');
    await manager.query(
      `DELETE FROM password_resets WHERE code_hash IN
         (SELECT code_hash FROM password_resets WHERE user_id = $1 ORDER BY created_at DESC OFFSET $2)`,
      [userId, MOST_CODES - 1],
    );
    await manager.insert(PasswordResetEntity, { userId, codeHash, expiresAt, createdAt: new Date() });
  }

  /** Whose code it is, null when it is not good. */
  async find(codeHash: string, now = new Date()): Promise<string | null> {
    const where = { codeHash, expiresAt: MoreThan(now) };
    return (await this.dataSource.manager.findOneBy(PasswordResetEntity, where))?.userId ?? null;
  }

  /** Uses a code up, and with it all codes of its user. @returns whether it was still good; of two at once one is. */
  async use(tx: Transaction, codeHash: string, userId: string, now = new Date()): Promise<boolean> {
    const { affected } = await tx.delete(PasswordResetEntity, { codeHash, userId, expiresAt: MoreThan(now) });
    if (affected !== 1) return false;
    await tx.delete(PasswordResetEntity, { userId });
    return true;
  }

  /** Voids all codes of a user. */
  async clear(tx: Transaction, userId: string): Promise<void> {
    await tx.delete(PasswordResetEntity, { userId });
  }
}
