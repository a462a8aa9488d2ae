import type { StreamStatusChanged } from '#libs/contracts/facts.js';
import type { StatusReason, StreamStatus } from '#libs/contracts/primitives.js';
import type { StreamStatusEvent } from '#libs/contracts/sockets.js';
import type { Transaction } from '../database/transaction.js';

interface StatusRow {
  id: string;
  status: StreamStatus;
  reason: StatusReason | null;
  detail: string;
  status_at: Date;
}

/** Stores at most one status fact of each stream. @returns what changed. */
export async function applyStatusFacts(
  tx: Transaction,
  facts: readonly StreamStatusChanged[],
): Promise<StreamStatusEvent[]> {
  if (facts.length === 0) return [];
  const [rows] = await tx.query<[StatusRow[], number]>(
    `UPDATE streams s
     SET session = f.session, status = f.status, reason = f.reason, detail = f.detail,
         status_fact_at = f.at, status_at = to_timestamp(f.at / 1000.0)
     FROM unnest($1::uuid[], $2::bigint[], $3::integer[], $4::text[], $5::text[], $6::text[], $7::bigint[])
          AS f (stream_id, session, generation, status, reason, detail, at)
     WHERE s.id = f.stream_id AND f.generation >= s.generation
       AND (s.session < f.session OR (s.session = f.session AND s.status_fact_at < f.at))
     RETURNING s.id, s.status, s.reason, s.detail, s.status_at`,
    [
      facts.map(({ streamId }) => streamId),
      facts.map(({ session }) => session),
      facts.map(({ generation }) => generation),
      facts.map(({ status }) => status),
      facts.map(({ reason }) => reason),
      facts.map(({ detail }) => detail),
      facts.map(({ at }) => at),
    ],
  );
  return rows.map((row) => ({
    streamId: row.id,
    status: row.status,
    reason: row.reason,
    detail: row.detail,
    at: row.status_at.toISOString(),
  }));
}
