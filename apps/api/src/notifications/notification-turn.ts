import type { Transaction } from '../database/transaction.js';

/** Key of the lock under which one transaction at a time makes notifications; any number that nothing else uses. */
const TURN_LOCK = 7_105_224;

/**
 * Has every other transaction wait that makes notifications until this one has ended; to be asked for before anything
 * else is locked. So two never open the same alert, and sequence numbers become visible in their order: whoever has seen
 * one will never find a smaller one later.
 */
export async function takeTurn(tx: Transaction): Promise<void> {
  await tx.query('SELECT pg_advisory_xact_lock($1)', [TURN_LOCK]);
}
