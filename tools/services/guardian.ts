import { createInterface } from 'node:readline';

/**
 * Outlives a process that was killed without a chance to tidy up, and ends what that one started. It reads lines
 * `+<pid> <signal> <grace ms>` and `-<pid>` from its input; when the input ends, whatever is still listed is stopped,
 * last started first: the signal to the process, then SIGKILL to its group.
 */
const listed = new Map<number, { signal: NodeJS.Signals; graceMs: number }>();

function send(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch {
    return false;
  }
}

async function stop(pid: number, signal: NodeJS.Signals, graceMs: number): Promise<void> {
  send(pid, signal);
  for (const until = Date.now() + graceMs; Date.now() < until && send(pid, 0);) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  send(-pid, 'SIGKILL');
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);

createInterface({ input: process.stdin })
  .on('line', (line) => {
    const match = /^([+-])(\d+)(?: (SIG[A-Z]+) (\d+))?$/.exec(line);
    if (match === null) return;
    const pid = Number(match[2]);
    if (match[1] === '-') listed.delete(pid);
    else listed.set(pid, { signal: (match[3] ?? 'SIGTERM') as NodeJS.Signals, graceMs: Number(match[4] ?? 5_000) });
  })
  .on('close', () => {
    void (async () => {
      for (const [pid, { signal, graceMs }] of [...listed].reverse()) await stop(pid, signal, graceMs);
      process.exit(0);
    })();
  });
