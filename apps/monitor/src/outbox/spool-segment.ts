import { open, readFile, truncate, unlink, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeRecord, MOST_LINE_BYTES, type SpoolRecord } from './spool-record.js';

const NAME = /^(\d{16})\.facts$/;
const NEWLINE = 0x0a;

/** What a segment file turned out to hold after a restart. */
export interface SegmentFindings {
  segment: SpoolSegment;
  /** Lines that were skipped: damaged, with good ones after them. */
  corrupt: number;
  /** Whether a tail that was never fully written was cut off. */
  torn: boolean;
  /** Complete lines among what was cut: their numbers may have been used. */
  lost: number;
}

/** One append-only file of the spool. Bytes beyond {@link bytes} are not there as far as anybody is concerned. */
export class SpoolSegment {
  /** Durable length, bytes. */
  bytes = 0;
  /** Last sequence number held; `first - 1` while empty. */
  last: number;
  records = 0;
  evidenceBytes = 0;

  private constructor(
    readonly path: string,
    readonly first: number,
  ) {
    this.last = first - 1;
  }

  /** A new segment that will begin with sequence number `first`. */
  static at(directory: string, first: number): SpoolSegment {
    return new SpoolSegment(join(directory, `${String(first).padStart(16, '0')}.facts`), first);
  }

  /** The first number a file name stands for, null when it is no segment. */
  static firstOf(name: string): number | null {
    const match = NAME.exec(name);
    return match === null ? null : Number(match[1]);
  }

  /** Reads a segment after a restart. `isLast`: what follows its last good line is cut off. */
  static async recover(directory: string, first: number, isLast: boolean): Promise<SegmentFindings> {
    const segment = SpoolSegment.at(directory, first);
    const content = await readFile(segment.path);
    let corrupt = 0;
    let badSinceGood = 0;
    let good = 0;
    for (const { line, end } of linesOf(content)) {
      const record = decodeRecord(line);
      if (record === null || record.seq <= segment.last) {
        badSinceGood += 1;
        continue;
      }
      corrupt += badSinceGood;
      badSinceGood = 0;
      good = end;
      segment.note(record);
    }
    const torn = isLast && good < content.length;
    if (torn) await truncate(segment.path, good);
    else corrupt += badSinceGood;
    segment.bytes = torn ? good : content.length;
    return { segment, corrupt, torn, lost: torn ? badSinceGood : 0 };
  }

  /** Takes account of a record that is held now. */
  note(record: SpoolRecord): void {
    this.last = record.seq;
    this.records += 1;
    this.evidenceBytes += record.evidenceBytes;
  }

  /**
   * Reads records from `fromSeq` on, starting to look at `offset`.
   * @returns the records, and where to look for the one after them.
   */
  async read(
    fromSeq: number,
    offset: number,
    maxRecords: number,
    maxBytes: number,
  ): Promise<{ records: SpoolRecord[]; offset: number }> {
    const records: SpoolRecord[] = [];
    const file = await open(this.path, 'r');
    let position = offset;
    let taken = 0;
    try {
      while (position < this.bytes && records.length < maxRecords && taken < maxBytes) {
        const chunk = await readChunk(file, position, Math.min(2 * MOST_LINE_BYTES, this.bytes - position));
        const start = position;
        for (const { line, end } of linesOf(chunk)) {
          const record = decodeRecord(line);
          if (record !== null && record.seq >= fromSeq) {
            if (records.length >= maxRecords || (records.length > 0 && taken + line.length > maxBytes)) {
              return { records, offset: position };
            }
            records.push(record);
            taken += line.length;
          }
          position = start + end;
        }
        // No line end within a chunk that holds the longest line: damage; go on behind it.
        if (position === start) position += chunk.length;
      }
    } finally {
      await file.close();
    }
    return { records, offset: position };
  }

  /** Deletes the file. */
  async remove(): Promise<void> {
    await unlink(this.path);
  }
}

async function readChunk(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const chunk = Buffer.allocUnsafe(length);
  const { bytesRead } = await file.read(chunk, 0, length, position);
  return chunk.subarray(0, bytesRead);
}

/** The complete lines of a buffer, each with the offset behind its line break. */
function* linesOf(content: Buffer): Generator<{ line: string; end: number }> {
  let start = 0;
  for (let at = content.indexOf(NEWLINE); at !== -1; at = content.indexOf(NEWLINE, start)) {
    yield { line: content.toString('utf8', start, at), end: at + 1 };
    start = at + 1;
  }
}
