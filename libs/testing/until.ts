import { setTimeout as sleep } from 'node:timers/promises';

/** Far longer than anything takes on a slow machine: a limit against what never comes, not a bar; ms. */
const PATIENCE_MS = 30_000;

/** Waits until a claim holds, looking again and again. @throws Error that names what was waited for. */
export async function until(
  claim: () => boolean | Promise<boolean>,
  what = 'what was waited for',
  patienceMs = PATIENCE_MS,
): Promise<void> {
  const deadline = Date.now() + patienceMs;
  while (!(await claim())) {
    if (Date.now() > deadline) throw new Error(`It did not come about in time: ${what}.`);
    await sleep(10);
  }
}
