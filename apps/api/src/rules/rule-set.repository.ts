import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { KeywordRule, RuleSet, SignalRule, Zone } from '#libs/contracts/captures.js';
import { TransactionRunner, type Transaction } from '../database/transaction.js';
import { ObjectRuleEntity } from './objects/object-rule.entity.js';
import { growRuleSetVersion, ruleSetVersionIn } from './rule-set-version.js';

/** Keywords that are read at a time: turning more rows into objects would keep the thread for too long. */
const KEYWORDS_AT_ONCE = 2_000;

/** All rules together: their one version, and what monitors receive. */
@Injectable()
export class RuleSetRepository {
  constructor(
    private readonly dataSource: DataSource,
    private readonly transactions: TransactionRunner,
  ) {}

  /** Runs a change of any rule; the version of the whole set grows in the same transaction. */
  changing<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.transactions.run(async (tx) => {
      await growRuleSetVersion(tx);
      return work(tx);
    });
  }

  /** The version of the set as it is now. */
  version(): Promise<number> {
    return ruleSetVersionIn(this.dataSource.manager);
  }

  /** All enabled rules as monitors receive them, of one moment. */
  ruleSet(): Promise<RuleSet> {
    return this.dataSource.transaction('REPEATABLE READ', async (tx) => ({
      v: 1,
      version: await ruleSetVersionIn(tx),
      objects: await objectsIn(tx),
      keywords: await keywordsIn(tx),
      zones: await tx.query<Zone[]>(
        'SELECT id, stream_id AS "streamId", kind, points, labels FROM zones ORDER BY stream_id, id',
      ),
      signals: await tx.query<SignalRule[]>(
        'SELECT signal, severity, cooldown_ms AS "cooldownMs" FROM signal_rules WHERE enabled ORDER BY signal',
      ),
    }));
  }

  /** The enabled keywords of one moment, with the version of the set they belong to. */
  keywords(): Promise<{ version: number; keywords: KeywordRule[] }> {
    return this.dataSource.transaction('REPEATABLE READ', async (tx) => ({
      version: await ruleSetVersionIn(tx),
      keywords: await keywordsIn(tx),
    }));
  }
}

async function objectsIn(tx: Transaction): Promise<RuleSet['objects']> {
  const rows = await tx.find(ObjectRuleEntity, { where: { enabled: true }, order: { label: 'ASC' } });
  return rows.map(({ id, version, label, threshold, severity, cooldownMs }) => ({
    id,
    version,
    label,
    threshold,
    severity,
    cooldownMs,
  }));
}

async function keywordsIn(tx: Transaction): Promise<KeywordRule[]> {
  const keywords: KeywordRule[] = [];
  let after = '00000000-0000-0000-0000-000000000000';
  for (;;) {
    // As one JSON value: entities, or rows with arrays in them, take many times as long to make.
    const [answer] = await tx.query<{ rows: KeywordRule[] | null }[]>(
      `SELECT json_agg(k) AS rows FROM (
          SELECT id, version, label, pattern, kind, allow, fuzzy, phonetic, applies_to AS "appliesTo", language, severity,
            cooldown_ms AS "cooldownMs"
          FROM keyword_rules WHERE enabled AND id > $1 ORDER BY id LIMIT $2
        ) k`,
      [after, KEYWORDS_AT_ONCE],
    );
    const rows = answer?.rows ?? [];
    for (const row of rows) keywords.push(row);
    const last = rows.at(-1);
    if (last === undefined || rows.length < KEYWORDS_AT_ONCE) return keywords;
    after = last.id;
  }
}
