import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { uniqueViolation } from '../../database/constraint-violations.js';
import type { Precondition } from '../../http/etag.js';
import type { Transaction } from '../../database/transaction.js';
import { RuleSetRepository } from '../rule-set.repository.js';
import { ObjectRuleEntity } from './object-rule.entity.js';
import { labelTaken, tooManyRules } from './objects.errors.js';

/** Objects on the watch list at most; the wire contract has the same limit. */
const MOST_RULES = 1_000;

type RuleFields = Pick<ObjectRuleEntity, 'label' | 'threshold' | 'severity' | 'cooldownMs' | 'enabled'>;

/** The watch list. Every change grows the version of the whole set in the same transaction. */
@Injectable()
export class ObjectsRepository {
  constructor(
    private readonly dataSource: DataSource,
    private readonly ruleSets: RuleSetRepository,
  ) {}

  list(after: [string, string] | null, limit: number): Promise<ObjectRuleEntity[]> {
    const query = this.dataSource
      .getRepository(ObjectRuleEntity)
      .createQueryBuilder('r')
      .orderBy('r.label')
      .addOrderBy('r.id')
      .limit(limit);
    if (after !== null) query.andWhere('(r.label, r.id) > (:label, :id)', { label: after[0], id: after[1] });
    return query.getMany();
  }

  find(id: string): Promise<ObjectRuleEntity | null> {
    return this.dataSource.manager.findOneBy(ObjectRuleEntity, { id });
  }

  /** @throws AppError `object_rule.label.conflict`, `object_rule.limit.conflict`. */
  create(fields: RuleFields): Promise<ObjectRuleEntity> {
    return this.changing(async (tx) => {
      if ((await tx.count(ObjectRuleEntity)) >= MOST_RULES) throw tooManyRules(MOST_RULES);
      return tx.save(tx.create(ObjectRuleEntity, { ...fields, version: 1 }));
    });
  }

  /**
   * @returns the rule as it was and as it is then, null when there is none.
   * @throws AppError `object_rule.label.conflict`, `request.version.precondition_failed`.
   */
  update(
    id: string,
    changes: Partial<RuleFields>,
    precondition: Precondition,
  ): Promise<{ before: ObjectRuleEntity; row: ObjectRuleEntity } | null> {
    return this.changing(async (tx) => {
      const before = await tx.findOneBy(ObjectRuleEntity, { id });
      if (before === null) return null;
      precondition.require(before.version);
      return { before, row: await tx.save(ObjectRuleEntity, { ...before, ...changes, version: before.version + 1 }) };
    });
  }

  /** @returns what there was, null for nothing. @throws AppError `request.version.precondition_failed`. */
  remove(id: string, precondition: Precondition): Promise<ObjectRuleEntity | null> {
    return this.changing(async (tx) => {
      const before = await tx.findOneBy(ObjectRuleEntity, { id });
      if (before === null) return null;
      precondition.require(before.version);
      await tx.delete(ObjectRuleEntity, { id });
      return before;
    });
  }

  private async changing<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    try {
      return await this.ruleSets.changing(work);
    } catch (error) {
      if (uniqueViolation(error) === 'object_rules_label_key') throw labelTaken();
      throw error;
    }
  }
}
