import type { Transaction } from '../database/transaction.js';

/**
 * Grows the version of the whole rule set. To be the first statement of the transaction: changes then queue up behind
 * this row, and versions grow in the order of the commits.
 */
export async function growRuleSetVersion(tx: Transaction): Promise<void> {
  await tx.query('UPDATE rule_set_version SET version = version + 1');
}

/** Version of the rule set as this transaction sees it. */
export async function ruleSetVersionIn(tx: Transaction): Promise<number> {
  const [row] = await tx.query<{ version: number }[]>('SELECT version FROM rule_set_version');
  return row?.version ?? 0;
}

/**
 * Before a stream is removed: grows the version if zones go with it. The row is locked in any case, so that no zone
 * can come in between.
 */
export async function growForZonesOf(tx: Transaction, streamId: string): Promise<void> {
  await tx.query('SELECT version FROM rule_set_version FOR UPDATE');
  await tx.query(
    'UPDATE rule_set_version SET version = version + 1 WHERE EXISTS (SELECT 1 FROM zones WHERE stream_id = $1)',
    [streamId],
  );
}
