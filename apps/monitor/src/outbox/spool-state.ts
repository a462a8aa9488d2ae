import { randomUUID } from 'node:crypto';
import { open, readFile, rename, unlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { AppError } from '#libs/errors/app-error.js';

const Identity = z.object({ v: z.literal(1), spoolId: z.string().min(1).max(64) });
const Cursor = z.object({
  v: z.literal(1),
  committed: z.number().int().nonnegative(),
  next: z.number().int().positive(),
});
const Owner = z.object({ pid: z.number().int().positive(), host: z.string() });

/** How far a spool got, as its small file says. */
export type SpoolCursor = z.infer<typeof Cursor>;

/** The small files beside the segments: who the spool is, how far it got, who uses it. */
export class SpoolState {
  constructor(private readonly directory: string) {}

  /** The spool's name for ever; made at the first call. */
  async identity(): Promise<string> {
    const known = Identity.safeParse(await this.load('spool.json'));
    if (known.success) return known.data.spoolId;
    const spoolId = randomUUID();
    await this.store('spool.json', { v: 1, spoolId }, true);
    return spoolId;
  }

  /** How far the spool got; the very beginning when nothing is known. */
  async cursor(): Promise<SpoolCursor> {
    const known = Cursor.safeParse(await this.load('cursor.json'));
    return known.success ? known.data : { v: 1, committed: 0, next: 1 };
  }

  /** Writes the cursor. `durable` when files are deleted on the strength of it. */
  async saveCursor(committed: number, next: number, durable: boolean): Promise<void> {
    await this.store('cursor.json', { v: 1, committed, next } satisfies SpoolCursor, durable);
  }

  /**
   * Takes the directory for this process. What a dead process left does not count.
   * @throws AppError `spool.in_use` when another process on this machine has it.
   */
  async acquire(): Promise<void> {
    const owner = Owner.safeParse(await this.load('owner.json'));
    if (owner.success && owner.data.host === hostname() && owner.data.pid !== process.pid && isAlive(owner.data.pid)) {
      throw new AppError(
        'spool.in_use',
        'operational',
        `Process ${String(owner.data.pid)} already uses the spool ${this.directory}: give each monitor a SPOOL_DIR of its own.`,
      );
    }
    await this.store('owner.json', { pid: process.pid, host: hostname() }, false);
  }

  /** Gives the directory back. */
  async release(): Promise<void> {
    await unlink(join(this.directory, 'owner.json')).catch(() => undefined);
  }

  private async load(name: string): Promise<unknown> {
    try {
      return JSON.parse(await readFile(join(this.directory, name), 'utf8')) as unknown;
    } catch {
      return undefined;
    }
  }

  private async store(name: string, value: unknown, durable: boolean): Promise<void> {
    const path = join(this.directory, name);
    const file = await open(`${path}.part`, 'w', 0o640);
    try {
      await file.writeFile(JSON.stringify(value));
      if (durable) await file.sync();
    } finally {
      await file.close();
    }
    await rename(`${path}.part`, path);
    if (durable) await syncDirectory(this.directory);
  }
}

/** Makes creations, renames and deletions within a directory durable. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return typeof error === 'object' && error !== null && 'code' in error && error.code === 'EPERM';
  }
}
