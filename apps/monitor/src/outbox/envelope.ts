import type { SpoolRecord } from './spool-record.js';

/**
 * A spooled fact in its envelope, as it goes on the wire (`FactEnvelope` of the contract). The fact is JSON already.
 * `floor` is the lowest number that the spool still holds.
 */
export function seal(spoolId: string, floor: number, { seq, json }: Pick<SpoolRecord, 'seq' | 'json'>): string {
  const head = JSON.stringify({ v: 1, spoolId, seq, floor: Math.min(floor, seq) });
  return `${head.slice(0, -1)},"fact":${json}}`;
}
