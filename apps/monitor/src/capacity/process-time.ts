import { readFile } from 'node:fs/promises';
import { cpus } from 'node:os';

/** Kernel clock ticks a second; 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** CPU seconds that a process has used (proc(5), utime and stime of `/proc/<pid>/stat`); null where nothing tells. */
export async function cpuSecondsOf(pid: number): Promise<number | null> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    // The command name may hold anything, so count from the parenthesis that closes it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  } catch {
    return null;
  }
}

/** Milliseconds that all processors of the machine have been busy and idle since its start. */
export function machineTime(): { busy: number; idle: number } {
  const total = { busy: 0, idle: 0 };
  for (const { times } of cpus()) {
    total.idle += times.idle;
    total.busy += times.user + times.nice + times.sys + times.irq;
  }
  return total;
}
