import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { childEnvironment } from '#libs/config/environment.js';
import { findOnPath, versionLine } from './executables.js';
import { freePort } from './preflight.js';
import { endOrphan, worksIn } from './process-identity.js';
import { ManagedProcess } from './process.js';
import { pingRedis } from './redis-ping.js';

/** How an embedded Redis is started. */
interface RedisOptions {
  /** Directory for configuration, data and log. */
  dir: string;
  /** True takes the one in JavaScript even where a real one is on PATH. */
  fallback?: boolean;
  say?: (text: string) => void;
}

/** A running embedded Redis. */
export interface RunningRedis {
  /** Connection url, with its password; stays the same over {@link restart}. */
  url: string;
  kind: 'redis' | 'valkey' | 'js';
  /** What runs, in words. */
  description: string;
  logFile: string;
  /** The server process, for tests of what happens when it dies. */
  process: ManagedProcess;
  stop(): Promise<void>;
  /** Stops and starts it; the one in JavaScript forgets everything, the real ones keep it. */
  restart(): Promise<void>;
}

/** A redis-server or valkey-server that is new enough. */
interface RedisProgram {
  path: string;
  kind: 'redis' | 'valkey';
  version: string;
}

/** Finds a `redis-server` or `valkey-server` of version 6.2 or newer on PATH. */
export async function findRedisServer(): Promise<RedisProgram | null> {
  for (const kind of ['redis', 'valkey'] as const) {
    const path = findOnPath([`${kind}-server`]);
    const version = path === null ? undefined : /v=(\d+\.\d+\.\d+)/.exec((await versionLine(path)) ?? '')?.[1];
    if (path === null || version === undefined) continue;
    const [major = 0, minor = 0] = version.split('.').map(Number);
    if (major > 6 || (major === 6 && minor >= 2)) return { path, kind, version };
  }
  return null;
}

/**
 * Starts a private Redis on a free loopback port: a real one found on PATH, which keeps its data in `dir`, else the
 * one in JavaScript, which keeps it in memory and is for evaluation only.
 * @throws AppError `process.*`
 */
export async function startRedis(options: RedisOptions): Promise<RunningRedis> {
  const dir = resolve(options.dir);
  const say = options.say ?? (() => undefined);
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const port = await freePort();
  const password = randomBytes(24).toString('base64url');
  const url = `redis://:${password}@127.0.0.1:${port}`;
  const logFile = join(dir, 'redis.log');
  const program = options.fallback === true ? null : await findRedisServer();
  const shared = { name: 'redis', cwd: dir, logFile, ready: { check: () => pingRedis(url) } };
  let server: ManagedProcess;
  if (program === null) {
    const entry = fileURLToPath(new URL('./js-redis.js', import.meta.url));
    const env = childEnvironment({ NODE_OPTIONS: undefined, VIGIL_JS_REDIS_PASSWORD: password });
    server = new ManagedProcess({
      ...shared,
      command: process.execPath,
      args: [entry, String(port)],
      env,
      graceMs: 3_000,
    });
  } else {
    const pidFile = join(dir, 'redis.pid');
    await endLeftover(pidFile, dir, say);
    const config = join(dir, 'redis.conf');
    writeFileSync(config, redisConfig(dir, port, password, pidFile), { mode: 0o600 });
    server = new ManagedProcess({ ...shared, command: program.path, args: [config], graceMs: 15_000 });
  }
  await server.start();
  const kind = program?.kind ?? 'js';
  const description =
    program === null
      ? 'js-redis-server, in memory: for evaluation only; install redis-server or set REDIS_URL for real use'
      : `${basename(program.path)} ${program.version}`;
  return {
    url,
    kind,
    description,
    logFile,
    process: server,
    stop: () => server.stop(),
    restart: () => server.restart(),
  };
}

function redisConfig(dir: string, port: number, password: string, pidFile: string): string {
  return `${[
    'bind 127.0.0.1',
    `port ${port}`,
    `requirepass ${password}`,
    `dir "${dir}"`,
    `pidfile "${pidFile}"`,
    'daemonize no',
    'save ""',
    'appendonly yes',
    'appendfsync everysec',
    'maxmemory-policy noeviction',
  ].join('\n')}\n`;
}

/** Stops a server that an earlier run left behind on the same directory: two would ruin each other's data. */
async function endLeftover(pidFile: string, dir: string, say: (text: string) => void): Promise<void> {
  if (!existsSync(pidFile)) return;
  const pid = Number(readFileSync(pidFile, 'utf8').trim());
  if (pid > 0 && worksIn(pid, realpathSync(dir))) {
    say(`A Redis of an earlier run (process ${pid}) still runs on ${dir}; stopping it.`);
    await endOrphan(pid, [
      { signal: 'SIGTERM', waitMs: 10_000 },
      { signal: 'SIGKILL', waitMs: 2_000 },
    ]);
  }
  rmSync(pidFile, { force: true });
}
