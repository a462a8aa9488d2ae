import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import { endOrphan, processIdentity } from './process-identity.js';

const Note = z.object({ pid: z.number().int().positive(), identity: z.string() });

/** Notes which process runs, so that the next start finds it should everything around it be killed. */
export function noteProcess(path: string, pid: number): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, JSON.stringify({ pid, identity: processIdentity(pid) ?? '' }), { mode: 0o600 });
}

/** Stops the process that an earlier run noted and left behind, if it still is that process. */
export async function endNoted(path: string, name: string, say: (text: string) => void): Promise<void> {
  let note: z.infer<typeof Note>;
  try {
    note = Note.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return;
  }
  if (processIdentity(note.pid) === note.identity) {
    say(`The ${name} of an earlier run (process ${note.pid}) still runs; stopping it.`);
    await endOrphan(note.pid, [
      { signal: 'SIGTERM', waitMs: 8_000 },
      { signal: 'SIGKILL', waitMs: 2_000 },
    ]);
  }
  rmSync(path, { force: true });
}
