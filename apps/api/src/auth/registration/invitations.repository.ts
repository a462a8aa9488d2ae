import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { Transaction } from '../../database/transaction.js';
import { InvitationEntity } from './invitation.entity.js';

/** The table of invitations. */
@Injectable()
export class InvitationsRepository {
  constructor(private readonly dataSource: DataSource) {}

  create(
    invitation: Pick<InvitationEntity, 'codeHash' | 'email' | 'invitedBy' | 'expiresAt'>,
  ): Promise<InvitationEntity> {
    return this.dataSource.manager.save(InvitationEntity, {
      ...invitation,
      usedAt: null,
      usedBy: null,
      createdAt: new Date(),
    });
  }

  /** Oldest first, after the given moment and id. */
  list(after: [string, string] | null, limit: number): Promise<InvitationEntity[]> {
    const query = this.dataSource
      .getRepository(InvitationEntity)
      .createQueryBuilder('i')
      .orderBy('i.createdAt')
      .addOrderBy('i.id')
      .limit(limit);
    if (after !== null) query.where('(i.created_at, i.id) > (:at, :id)', { at: after[0], id: after[1] });
    return query.getMany();
  }

  /** Withdraws an invitation that was not used. @returns whether there was one. */
  async withdraw(id: string): Promise<boolean> {
    const { affected } = await this.dataSource
      .createQueryBuilder()
      .delete()
      .from(InvitationEntity)
      .where('id = :id AND used_at IS NULL', { id })
      .execute();
    return affected === 1;
  }

  /** Whether a code is good for this address. */
  isGood(codeHash: string, email: string): Promise<boolean> {
    return this.dataSource
      .getRepository(InvitationEntity)
      .createQueryBuilder('i')
      .where('i.code_hash = :codeHash AND i.used_at IS NULL AND i.expires_at > now()', { codeHash })
      .andWhere('(i.email IS NULL OR lower(i.email) = lower(:email))', { email })
      .getExists();
  }

  /** Uses an invitation up. @returns false when it is not good (any more); of two at once one succeeds. */
  async use(tx: Transaction, codeHash: string, email: string, userId: string): Promise<boolean> {
    const { affected } = await tx
      .createQueryBuilder()
      .update(InvitationEntity)
      .set({ usedAt: () => 'now()', usedBy: userId })
      .where('code_hash = :codeHash AND used_at IS NULL AND expires_at > now()', { codeHash })
      .andWhere('(email IS NULL OR lower(email) = lower(:email))', { email })
      .execute();
    return affected === 1;
  }
}
