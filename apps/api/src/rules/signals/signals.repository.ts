import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { Signal } from '#libs/contracts/primitives.js';
import type { Precondition } from '../../http/etag.js';
import { RuleSetRepository } from '../rule-set.repository.js';
import { SignalRuleEntity } from './signal-rule.entity.js';

type SignalFields = Pick<SignalRuleEntity, 'severity' | 'cooldownMs' | 'enabled'>;

/** The table of signals: a fixed set of rows. Every change grows the version of the whole rule set with it. */
@Injectable()
export class SignalsRepository {
  constructor(
    private readonly dataSource: DataSource,
    private readonly ruleSets: RuleSetRepository,
  ) {}

  list(): Promise<SignalRuleEntity[]> {
    return this.dataSource.manager.find(SignalRuleEntity, { order: { signal: 'ASC' } });
  }

  find(signal: Signal): Promise<SignalRuleEntity | null> {
    return this.dataSource.manager.findOneBy(SignalRuleEntity, { signal });
  }

  /**
   * @returns the signal as it was and as it is then, null when there is none.
   * @throws AppError `request.version.precondition_failed`.
   */
  update(
    signal: Signal,
    changes: Partial<SignalFields>,
    precondition: Precondition,
  ): Promise<{ before: SignalRuleEntity; row: SignalRuleEntity } | null> {
    return this.ruleSets.changing(async (tx) => {
      const before = await tx.findOneBy(SignalRuleEntity, { signal });
      if (before === null) return null;
      precondition.require(before.version);
      return { before, row: await tx.save(SignalRuleEntity, { ...before, ...changes, version: before.version + 1 }) };
    });
  }
}
