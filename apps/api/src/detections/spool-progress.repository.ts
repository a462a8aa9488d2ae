import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import type { Watermark } from '#libs/contracts/facts.js';
import type { FactOrigin } from '#libs/bus/fact-stream.js';
import type { Transaction } from '../database/transaction.js';

/** Spools that are remembered as alive at most. */
const MOST_RECENT = 1_000;

const Rows = z.array(z.object({ spool_id: z.string(), committed_seq: z.coerce.number().int().nonnegative() }));

/** How far each monitor's spool is committed without a gap. */
@Injectable()
export class SpoolProgressRepository {
  constructor(private readonly dataSource: DataSource) {}

  /**
   * Moves the watermarks on by what is stored within `tx`.
   * @returns the watermark of every spool that has a fact among `origins`, moved or not.
   */
  async advance(tx: Transaction, origins: readonly FactOrigin[]): Promise<Watermark[]> {
    const spoolIds = [...new Set(origins.map(({ spoolId }) => spoolId))].sort();
    if (spoolIds.length === 0) return [];
    const known = marksOf(
      await tx.query(
        'SELECT spool_id, committed_seq FROM spool_progress WHERE spool_id = ANY($1) ORDER BY spool_id FOR UPDATE',
        [spoolIds],
      ),
    );
    const before = new Map(known.map(({ spoolId, seq }) => [spoolId, seq]));
    const marks = spoolIds.map((spoolId) => ({
      spoolId,
      seq: contiguous(
        before.get(spoolId) ?? 0,
        origins.filter((origin) => origin.spoolId === spoolId),
      ),
    }));
    await tx.query(
      `INSERT INTO spool_progress (spool_id, committed_seq, updated_at)
       SELECT spool_id, committed_seq, now() FROM unnest($1::text[], $2::bigint[]) AS mark (spool_id, committed_seq)
       ON CONFLICT (spool_id) DO UPDATE
         SET committed_seq = greatest(spool_progress.committed_seq, excluded.committed_seq), updated_at = now()`,
      [spoolIds, marks.map(({ seq }) => seq)],
    );
    return marks;
  }

  /** Watermarks of spools that were heard of within the last week, newest first. */
  async recent(): Promise<Watermark[]> {
    return marksOf(
      await this.dataSource.query(
        `SELECT spool_id, committed_seq FROM spool_progress WHERE updated_at > now() - interval '7 days'
         ORDER BY updated_at DESC LIMIT $1`,
        [MOST_RECENT],
      ),
    );
  }
}

/**
 * The end of the run without a gap that begins behind `committed`. What lies below the floor of any fact was shed or
 * committed: it will never come, so nobody waits for it. A number that is missing otherwise was lost on the way and
 * comes again: the watermark must not pass it, for the spool forgets everything up to there.
 */
export function contiguous(committed: number, origins: readonly Pick<FactOrigin, 'seq' | 'floor'>[]): number {
  let end = committed;
  const seqs = new Set<number>();
  for (const { seq, floor } of origins) {
    end = Math.max(end, floor - 1);
    seqs.add(seq);
  }
  while (seqs.has(end + 1)) end += 1;
  return end;
}

function marksOf(rows: unknown): Watermark[] {
  return Rows.parse(rows).map(({ spool_id: spoolId, committed_seq: seq }) => ({ spoolId, seq }));
}
