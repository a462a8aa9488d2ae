import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { AppError } from '#libs/errors/app-error.js';
import { errorCode } from './error-code.js';
import { processIdentity } from './process-identity.js';

const Holder = z.object({ pid: z.number().int().positive(), identity: z.string(), command: z.string() });
type Holder = z.infer<typeof Holder>;

/** A directory that this process alone uses until it releases it. */
interface InstanceLock {
  release(): void;
}

/**
 * Takes a directory for this process alone. The lock of a process that is gone is void, also when its number belongs
 * to another process by now.
 * @throws AppError `instance.running` naming the holder and how to stop it.
 */
export async function lockInstance(directory: string, command: string): Promise<InstanceLock> {
  mkdirSync(directory, { recursive: true });
  const path = join(directory, 'instance.lock');
  const mine: Holder = { pid: process.pid, identity: processIdentity(process.pid) ?? 'unknown', command };
  for (let attempt = 0; attempt < 20; attempt += 1) {
    if (create(path, mine)) {
      // Two that found the same void lock may both have removed one: the file says who has it in the end.
      if (attempt > 0) await pause(150);
      if (read(path)?.pid === process.pid) return { release: () => release(path) };
      continue;
    }
    const holder = read(path);
    if (holder !== null && processIdentity(holder.pid) === holder.identity) {
      throw new AppError(
        'instance.running',
        'user',
        `Vigil already runs from this folder (${holder.command}, process ${holder.pid}): stop it with Ctrl-C there or \`kill ${holder.pid}\`.`,
        { pid: holder.pid },
      );
    }
    // A lock without content may be one that is being written.
    if (holder === null && attempt < 5) await pause(50);
    else rmSync(path, { force: true });
  }
  throw new AppError('instance.contended', 'operational', `Cannot take ${path}: remove it, then start again.`);
}

function create(path: string, holder: Holder): boolean {
  try {
    const file = openSync(path, 'wx', 0o644);
    try {
      writeSync(file, JSON.stringify(holder));
    } finally {
      closeSync(file);
    }
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  }
}

function read(path: string): Holder | null {
  try {
    return Holder.safeParse(JSON.parse(readFileSync(path, 'utf8'))).data ?? null;
  } catch {
    return null;
  }
}

function release(path: string): void {
  if (read(path)?.pid === process.pid) rmSync(path, { force: true });
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
