import { ADVISORY_LOCKS } from '../database/advisory-locks.js';
import type { Transaction } from '../database/transaction.js';

/**
 * Has every other transaction wait that makes notifications until this one has ended; to be asked for before anything
 * else is locked. So two never open the same alert, and sequence numbers become visible in their order: whoever has seen
 * one will never find a smaller one later.
 */
export async function takeTurn(tx: Transaction): Promise<void> {
  await tx.query('SELECT pg_advisory_xact_lock($1)', [ADVISORY_LOCKS.notificationTurn]);
}
