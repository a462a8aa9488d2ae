import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { Transaction } from '../database/transaction.js';
import { AuditEntryEntity } from './audit-entry.entity.js';

/** Which entries to read. */
export interface AuditFilter {
  actorId?: string | undefined;
  action?: string | undefined;
  targetType?: string | undefined;
  targetId?: string | undefined;
  from?: string | undefined;
  to?: string | undefined;
  /** Only those before this sequence number. */
  before: string | null;
  limit: number;
}

/** The audit trail's table: entries are added and read, never changed; the database itself refuses anything else. */
@Injectable()
export class AuditRepository {
  constructor(private readonly dataSource: DataSource) {}

  async insert(entry: Omit<AuditEntryEntity, 'id' | 'seq' | 'at'>, tx: Transaction | null): Promise<void> {
    const { manager } = this.dataSource;
    await (tx ?? manager).save(manager.create(AuditEntryEntity, entry), { reload: false, transaction: false });
  }

  /** Newest first. */
  list({ before, limit, from, to, ...equal }: AuditFilter): Promise<AuditEntryEntity[]> {
    const query = this.dataSource
      .getRepository(AuditEntryEntity)
      .createQueryBuilder('e')
      .orderBy('e.seq', 'DESC')
      .limit(limit);
    for (const [field, value] of Object.entries(equal)) {
      if (value !== undefined) query.andWhere(`e.${field} = :${field}`, { [field]: value });
    }
    if (from !== undefined) query.andWhere('e.at >= :from', { from });
    if (to !== undefined) query.andWhere('e.at < :to', { to });
    if (before !== null) query.andWhere('e.seq < :before', { before });
    return query.getMany();
  }
}
