import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { TransactionRunner, type Transaction } from '../database/transaction.js';
import { LONGEST_BATCH_MS } from './pace.js';
import type { AgedTable, RetentionRule } from './retention-rules.js';

/** What one batch came to. */
export interface Batch {
  /** Rows that were looked at, and those that were removed. */
  seen: number;
  removed: number;
  /** Sequence number of the last one that was looked at: where the next batch begins. */
  last: string;
  /** When the youngest of them was stored. */
  newest: Date;
}

const Figures = z.object({
  seen: z.coerce.number().int(),
  removed: z.coerce.number().int(),
  last: z.coerce.string().nullable(),
  newest: z.date().nullable(),
});
const Keys = z.array(z.object({ key: z.string() }));
const Count = z.tuple([z.unknown(), z.number().int()]);

/** Instants before which rows go; null for never. */
export interface Cutoffs {
  before: Date | null;
  other: Date | null;
}

/** How long a row is waited for that somebody else has locked, ms. */
const LOCK_MS = 500;

/** Deletes by small statements; none waits long for a lock, nor holds one. */
@Injectable()
export class RetentionRepository {
  constructor(private readonly transactions: TransactionRunner) {}

  /**
   * Looks at the next `size` rows behind the number `after` and removes those that are old.
   * A row whose keep flag is set meanwhile stays: the condition is asked of the row as it is when it is locked.
   */
  async removeOld(rule: RetentionRule, after: string, size: number, { before, other }: Cutoffs): Promise<Batch> {
    const cutoff = rule.other === undefined ? '$3' : `CASE WHEN ${rule.other.when} THEN $4 ELSE $3 END`;
    const figures = await this.briefly(async (tx) => {
      if (rule.name === 'audit_entries') {
        await tx.query(`SELECT set_config('vigil.audit_removed_before', $1, true)`, [before?.toISOString() ?? '']);
      }
      return tx.query(
        `WITH part AS (SELECT id, seq, ${rule.age} AS age FROM ${rule.name} WHERE seq > $1 ORDER BY seq LIMIT $2),
         gone AS (
           DELETE FROM ${rule.name} d USING part p
           WHERE d.id = p.id AND p.age < coalesce(${cutoff}::timestamptz, '-infinity') AND ${rule.only}
           RETURNING 1)
         SELECT count(*) AS seen, max(seq) AS last, max(age) AS newest, (SELECT count(*) FROM gone) AS removed
         FROM part`,
        [after, size, before, ...(rule.other === undefined ? [] : [other])],
      );
    });
    return batchOf(figures, after);
  }

  /** Looks at the next `size` detections with evidence and removes those that nobody wants kept. */
  async removeWithEvidence(after: string, size: number, reviewedToo: boolean): Promise<Batch> {
    const figures = await this.briefly((tx) =>
      tx.query(
        `WITH part AS (SELECT id, seq, created_at AS age FROM detections WHERE seq > $1 ORDER BY seq LIMIT $2),
         gone AS (
           DELETE FROM detections d USING part p
           WHERE d.id = p.id AND NOT d.keep AND ($3 OR d.verdict IS NULL)
             AND (d.evidence_key IS NOT NULL OR d.clip_key IS NOT NULL)
           RETURNING 1)
         SELECT count(*) AS seen, max(seq) AS last, max(age) AS newest, (SELECT count(*) FROM gone) AS removed
         FROM part`,
        [after, size, reviewedToo],
      ),
    );
    return batchOf(figures, after);
  }

  /** Removes up to `size` of the oldest rows. @returns how many. */
  async removeAged({ name, age, only }: AgedTable, before: Date, size: number): Promise<number> {
    const answer = await this.briefly((tx) =>
      tx.query(
        `DELETE FROM ${name} WHERE id IN (
           SELECT id FROM ${name} WHERE ${age} < $1 AND ${only} ORDER BY ${age} LIMIT $2 FOR UPDATE SKIP LOCKED)`,
        [before, size],
      ),
    );
    return Count.parse(answer)[1];
  }

  /** Up to `limit` keys of evidence that nothing refers to any more, behind the key `after`. */
  async evidenceToRemove(after: string, limit: number): Promise<string[]> {
    const rows = await this.transactions.run((tx) =>
      tx.query<unknown>('SELECT key FROM evidence_removals WHERE key > $1 ORDER BY key LIMIT $2', [after, limit]),
    );
    return Keys.parse(rows).map(({ key }) => key);
  }

  /** Notes that these are gone. */
  async forgetEvidence(keys: readonly string[]): Promise<void> {
    await this.briefly((tx) => tx.query('DELETE FROM evidence_removals WHERE key = ANY($1)', [keys]));
  }

  private briefly(work: (tx: Transaction) => Promise<unknown>): Promise<unknown> {
    return this.transactions.run(async (tx) => {
      await tx.query(`SET LOCAL lock_timeout = ${LOCK_MS}; SET LOCAL statement_timeout = ${LONGEST_BATCH_MS}`);
      return work(tx);
    });
  }
}

function batchOf(rows: unknown, after: string): Batch {
  const [{ seen, removed, last, newest }] = z.tuple([Figures]).parse(rows);
  return { seen, removed, last: last ?? after, newest: newest ?? new Date(0) };
}
