import { parse } from 'csv-parse/sync';
import { AppError, messageOf } from '#libs/errors/app-error.js';
import { requirePlain } from '../../http/plain-text.js';

/** Columns that a file may have; what else is there is told as a fault of the row. */
const NUMBERS = new Set(['priority']);

/**
 * Reads a CSV file with a header line, e.g. `name,url,platform,priority`. Empty cells count as left out.
 * @throws AppError `stream.import.malformed` with the line when it is no CSV, `request.malformed` for what cannot be stored
 */
export function rowsOfCsv(text: string): Record<string, unknown>[] {
  requirePlain(text);
  let records: Record<string, string>[];
  try {
    records = parse(text, { columns: true, bom: true, trim: true, skip_empty_lines: true, max_record_size: 20_000 });
  } catch (error) {
    throw new AppError('stream.import.malformed', 'user', `This is no CSV with a header line: ${messageOf(error)}.`);
  }
  return records.map((record) =>
    Object.fromEntries(
      Object.entries(record)
        .filter(([, cell]) => cell !== '')
        .map(([name, cell]) => [name, NUMBERS.has(name) && /^\d{1,9}$/.test(cell) ? Number(cell) : cell]),
    ),
  );
}
