import { readdir, readFile } from 'node:fs/promises';

/** Kernel clock ticks a second; 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/**
 * CPU seconds that this process, all its threads and all children that have ended used so far (proc(5), fields utime,
 * stime, cutime, cstime of `/proc/self/stat`). Linux only.
 */
export async function cpuSeconds(): Promise<number> {
  const stat = await readFile('/proc/self/stat', 'utf8');
  // The command name may hold anything, so count from the parenthesis that closes it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = [11, 12, 13, 14].reduce((sum, index) => sum + Number(fields[index]), 0);
  return ticks / TICKS_PER_SECOND;
}

/** Resident memory of this process and all its descendants, MB. */
export async function residentMb(): Promise<number> {
  const parents = new Map<number, { parent: number; kb: number }>();
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const status = await readFile(`/proc/${name}/status`, 'utf8').catch(() => '');
    const parent = /^PPid:\s+(\d+)/m.exec(status)?.[1];
    const kb = /^VmRSS:\s+(\d+)/m.exec(status)?.[1];
    if (parent !== undefined) parents.set(Number(name), { parent: Number(parent), kb: Number(kb ?? 0) });
  }
  const isOurs = (pid: number): boolean => {
    for (let at: number | undefined = pid; at !== undefined && at > 1; at = parents.get(at)?.parent) {
      if (at === process.pid) return true;
    }
    return false;
  };
  let kb = 0;
  for (const [pid, entry] of parents) if (isOurs(pid)) kb += entry.kb;
  return kb / 1024;
}
