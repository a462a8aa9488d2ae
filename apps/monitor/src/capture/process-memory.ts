import { readFile } from 'node:fs/promises';

/** Page size of every platform whose kernel offers `/proc/<pid>/statm` to Node's builds. */
const PAGE_BYTES = 4_096;

/** Resident memory of a process in bytes; null where the system does not tell (only Linux does). */
export async function residentBytes(pid: number): Promise<number | null> {
  try {
    const pages = Number((await readFile(`/proc/${pid}/statm`, 'utf8')).split(' ')[1]);
    return Number.isFinite(pages) ? pages * PAGE_BYTES : null;
  } catch {
    return null;
  }
}
