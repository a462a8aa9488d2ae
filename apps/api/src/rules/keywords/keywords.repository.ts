import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { AppError } from '#libs/errors/app-error.js';
import { uniqueViolation } from '../../database/constraint-violations.js';
import type { Transaction } from '../../database/transaction.js';
import type { Precondition } from '../../http/etag.js';
import { RuleSetRepository } from '../rule-set.repository.js';
import { KeywordBudget } from './keyword-budget.js';
import { KeywordRuleEntity, type KeywordFields } from './keyword-rule.entity.js';
import type { KeywordQuery } from './keywords.dto.js';
import { patternTaken } from './keywords.errors.js';

type KeywordFilter = Pick<KeywordQuery, 'appliesTo' | 'severity' | 'enabled' | 'q'>;

/** What became of one row of an import. */
export type ImportOutcome =
  { result: 'created' | 'duplicate'; id: string } | { result: 'refused'; id: null; why: string };

const IMPORTED = `jsonb_to_recordset($1::jsonb) AS r(ordinal integer, id uuid, label text, pattern text, kind text,
  allow text[], fuzzy boolean, phonetic boolean, "appliesTo" text, language text, severity text,
  "cooldownMs" integer, enabled boolean)`;

/** The table of keywords. Every change grows the version of the whole rule set in the same transaction. */
@Injectable()
export class KeywordsRepository {
  constructor(
    private readonly dataSource: DataSource,
    private readonly ruleSets: RuleSetRepository,
  ) {}

  /** By label, after the given label and id. */
  list(filter: KeywordFilter, after: [string, string] | null, limit: number): Promise<KeywordRuleEntity[]> {
    const query = this.dataSource
      .getRepository(KeywordRuleEntity)
      .createQueryBuilder('r')
      .orderBy('r.label')
      .addOrderBy('r.id')
      .limit(limit);
    const { appliesTo, severity, enabled, q } = filter;
    if (appliesTo !== undefined) query.andWhere('r.appliesTo = :appliesTo', { appliesTo });
    if (severity !== undefined) query.andWhere('r.severity = :severity', { severity });
    if (enabled !== undefined) query.andWhere('r.enabled = :enabled', { enabled });
    if (q !== undefined) query.andWhere('strpos(lower(r.label || chr(10) || r.pattern), lower(:q)) > 0', { q });
    if (after !== null) query.andWhere('(r.label, r.id) > (:label, :id)', { label: after[0], id: after[1] });
    return query.getMany();
  }

  find(id: string): Promise<KeywordRuleEntity | null> {
    return this.dataSource.manager.findOneBy(KeywordRuleEntity, { id });
  }

  /** Those of these ids that are there, in any order. */
  findAll(ids: readonly string[]): Promise<KeywordRuleEntity[]> {
    return this.dataSource
      .getRepository(KeywordRuleEntity)
      .createQueryBuilder('r')
      .where('r.id = ANY(:ids)', { ids })
      .getMany();
  }

  /** @throws AppError `keyword.pattern.conflict`, `keyword.limit.conflict`. */
  create(fields: KeywordFields): Promise<KeywordRuleEntity> {
    return this.changing(async (tx) => {
      (await budgetIn(tx)).take(fields);
      return tx.save(tx.create(KeywordRuleEntity, { ...fields, version: 1 }));
    });
  }

  /**
   * Changes a keyword to what `change` makes of it as it is now.
   * @returns the keyword as it was and as it is then, null when there is none.
   * @throws AppError `keyword.pattern.conflict`, `keyword.limit.conflict`, `request.version.precondition_failed`, and
   * what `change` throws.
   */
  update(
    id: string,
    change: (row: KeywordRuleEntity) => KeywordFields,
    precondition: Precondition,
  ): Promise<{ before: KeywordRuleEntity; row: KeywordRuleEntity } | null> {
    return this.changing(async (tx) => {
      const before = await tx.findOneBy(KeywordRuleEntity, { id });
      if (before === null) return null;
      precondition.require(before.version);
      const fields = change(before);
      (await budgetIn(tx, id)).take(fields);
      return { before, row: await tx.save(KeywordRuleEntity, { ...before, ...fields, version: before.version + 1 }) };
    });
  }

  /** @returns what there was, null for nothing. @throws AppError `request.version.precondition_failed`. */
  remove(id: string, precondition: Precondition): Promise<KeywordRuleEntity | null> {
    return this.changing(async (tx) => {
      const before = await tx.findOneBy(KeywordRuleEntity, { id });
      if (before === null) return null;
      precondition.require(before.version);
      await tx.delete(KeywordRuleEntity, { id });
      return before;
    });
  }

  /** Stores what is new and fits the limits, in the order given, under one version of the set. */
  import(rows: readonly KeywordFields[]): Promise<ImportOutcome[]> {
    return this.changing(async (tx) => {
      const numbered = rows.map((row, ordinal) => ({ ...row, ordinal, id: randomUUID() }));
      const known = await knownIn(tx, JSON.stringify(numbered));
      const budget = await budgetIn(tx);
      const seen = new Map<string, string>();
      const kept: typeof numbered = [];
      const outcomes = numbered.map((row): ImportOutcome => {
        const key = JSON.stringify([row.pattern, row.kind, row.appliesTo, row.language ?? '']);
        const there = known.get(row.ordinal) ?? seen.get(key);
        if (there !== undefined) return { result: 'duplicate', id: there };
        try {
          budget.take(row);
        } catch (error) {
          if (!(error instanceof AppError)) throw error;
          return { result: 'refused', id: null, why: error.message };
        }
        seen.set(key, row.id);
        kept.push(row);
        return { result: 'created', id: row.id };
      });
      await tx.query(
        `INSERT INTO keyword_rules (id, label, pattern, kind, allow, fuzzy, phonetic, applies_to, language, severity,
            cooldown_ms, enabled)
          SELECT id, label, pattern, kind, allow, fuzzy, phonetic, "appliesTo", language, severity, "cooldownMs", enabled
          FROM ${IMPORTED}`,
        [JSON.stringify(kept)],
      );
      return outcomes;
    });
  }

  private async changing<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    try {
      return await this.ruleSets.changing(work);
    } catch (error) {
      if (uniqueViolation(error) === 'keyword_rules_pattern_key') throw patternTaken();
      throw error;
    }
  }
}

/** The stored keyword that each of the imported rows repeats, by the row's number. */
async function knownIn(tx: Transaction, imported: string): Promise<Map<number, string>> {
  const rows = await tx.query<{ ordinal: number; id: string }[]>(
    `SELECT r.ordinal, k.id FROM ${IMPORTED}
      JOIN keyword_rules k ON md5(k.pattern) = md5(r.pattern) AND k.kind = r.kind
        AND k.applies_to = r."appliesTo" AND coalesce(k.language, '') = coalesce(r.language, '')`,
    [imported],
  );
  return new Map(rows.map(({ ordinal, id }) => [ordinal, id]));
}

/** What room is left, as if the keyword `but` were not there. */
async function budgetIn(tx: Transaction, but: string | null = null): Promise<KeywordBudget> {
  const [counts] = await tx.query<{ stored: number; alike: number; regexes: string[] | null }[]>(
    `SELECT count(*)::integer AS stored,
        count(*) FILTER (WHERE enabled AND kind = 'literal' AND (fuzzy OR phonetic))::integer AS alike,
        array_agg(pattern) FILTER (WHERE enabled AND kind = 'regex') AS regexes
      FROM keyword_rules WHERE $1::uuid IS NULL OR id <> $1`,
    [but],
  );
  return new KeywordBudget({
    stored: counts?.stored ?? 0,
    alike: counts?.alike ?? 0,
    regexes: counts?.regexes ?? [],
  });
}
