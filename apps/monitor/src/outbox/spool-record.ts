import { crc32 } from 'node:zlib';

/** Longest line a spool takes, bytes; the largest fact of the contract is far below. */
export const MOST_LINE_BYTES = 512 * 1024;

/** One record as it is read back. */
export interface SpoolRecord {
  seq: number;
  /** The fact as it was appended, JSON. */
  json: string;
  /** Size of the evidence image that belongs to it. */
  evidenceBytes: number;
}

const SHAPE = /^([0-9a-f]{8}) ((\d{1,16}) (\d{1,16}) (.*))$/s;

/** One line: `<crc32 of the rest, 8 hex digits> <seq> <evidence bytes> <json>\n`. JSON holds no line break. */
export function encodeRecord({ seq, json, evidenceBytes }: SpoolRecord): string {
  const rest = `${String(seq)} ${String(evidenceBytes)} ${json}`;
  return `${crc32(rest).toString(16).padStart(8, '0')} ${rest}\n`;
}

/** A line without its line break; null when it is not what was written. */
export function decodeRecord(line: string): SpoolRecord | null {
  const match = SHAPE.exec(line);
  if (match === null) return null;
  const [, crc = '', rest = '', seq, evidenceBytes, json = ''] = match;
  if (crc32(rest) !== Number.parseInt(crc, 16)) return null;
  return { seq: Number(seq), evidenceBytes: Number(evidenceBytes), json };
}
