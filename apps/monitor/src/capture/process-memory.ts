import { readFileSync } from 'node:fs';

/** Page size of every platform whose kernel offers `/proc/<pid>/statm` to Node's builds. */
const PAGE_BYTES = 4_096;

/**
 * Resident memory of a process in bytes; null where the system does not tell (only Linux does). At
 * once: the kernel makes that file up as it is read, and a turn through the thread pool costs several times as much.
 */
export function residentBytes(pid: number): number | null {
  try {
    const pages = Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]);
    return Number.isFinite(pages) ? pages * PAGE_BYTES : null;
  } catch {
    return null;
  }
}
