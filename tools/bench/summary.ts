import { readFile, writeFile } from 'node:fs/promises';
import { arch, cpus, totalmem, type } from 'node:os';
import { join } from 'node:path';
import { repositoryRoot } from '#libs/config/environment.js';

/** A bench in the table of all. */
export interface SummaryRow {
  name: string;
  figure: string;
  /** What physics, or a bare loop of the same work, allows in the same run. */
  limit: string;
  /** Another way to the same end in the same run. */
  peer: string;
}

const [BEGIN, END] = ['<!-- summary: written by `npm run bench` -->', '<!-- end of summary -->'];

/** Puts the table, with machine and date, into docs/benchmarks.md, in place of the one that is there. */
export async function writeSummary(rows: readonly SummaryRow[], now = new Date()): Promise<void> {
  const path = join(repositoryRoot, 'docs', 'benchmarks.md');
  await writeFile(path, withSummary(await readFile(path, 'utf8'), rows, machine(), now));
}

/** A page with the table in it: between its marks, or before the first section where there are none. */
export function withSummary(page: string, rows: readonly SummaryRow[], machineIs: string, now: Date): string {
  const body = [
    ...[BEGIN, '', '## Summary', '', `${machineIs}, ${now.toISOString().slice(0, 10)}.`, ''],
    ...table([['bench', 'figure', 'limit in the same run', 'peer in the same run'], ...rows.map(cellsOf)]),
    ...['', END],
  ].join('\n');
  const [from, to] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (from !== -1 && to > from) return page.slice(0, from) + body + page.slice(to + END.length);
  const section = page.indexOf('\n## ');
  const at = section === -1 ? page.length : section + 1;
  return `${page.slice(0, at)}${body}\n\n${page.slice(at)}`;
}

const cellsOf = ({ name, figure, limit, peer }: SummaryRow): string[] => [name, figure, limit, peer];

/** Lines of a Markdown table as the formatter would leave it. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const [head = [], ...rest] = rows;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rest.map(line)];
}

function machine(): string {
  const [first] = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  const model = first?.model.trim() ?? 'unknown';
  return `${cpus().length} × ${model} (${arch()}), ${memory} GiB, ${type()}, Node ${process.versions.node}`;
}
