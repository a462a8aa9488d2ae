import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/**
 * Hands the processes that this one starts to a guardian, which ends them should this one be killed before it can.
 * One guardian serves the whole process, while there is anything to guard.
 */
class Guard {
  private readonly guarded = new Set<number>();
  private guardian: ChildProcess | null = null;

  /** Lists a process group; `signal` asks its leader to stop, SIGKILL follows after `graceMs`. */
  add(pid: number, signal: NodeJS.Signals, graceMs: number): void {
    this.guarded.add(pid);
    if (this.guardian === null) {
      const entry = fileURLToPath(new URL('./guardian.js', import.meta.url));
      const guardian = spawn(process.execPath, [entry], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
      // Without a guardian everything works but the tidying up after SIGKILL; the next start does that too.
      guardian.on('error', () => undefined);
      guardian.stdin.on('error', () => undefined);
      guardian.unref();
      this.guardian = guardian;
    }
    this.guardian.stdin?.write(`+${pid} ${signal} ${graceMs}\n`);
  }

  /** Takes a process group off the list; the guardian goes with the last one. */
  remove(pid: number): void {
    if (!this.guarded.delete(pid)) return;
    this.guardian?.stdin?.write(`-${pid}\n`);
    if (this.guarded.size > 0) return;
    this.guardian?.stdin?.end();
    this.guardian = null;
  }

  /** Ends every listed process group at once. */
  killAll(): void {
    for (const pid of this.guarded) {
      try {
        process.kill(-pid, 'SIGKILL');
      } catch {
        // Gone already.
      }
    }
  }
}

/** The guard of this process. */
export const guard = new Guard();
