import { existsSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { childEnvironment, loadSettings, repositoryRoot } from '#libs/config/environment.js';
import { apiSettings, monitorSettings, sharedSettings } from '#libs/config/shared.settings.js';
import { secret, setting } from '#libs/config/settings.js';
import { AppError } from '#libs/errors/app-error.js';
import { ensureFfmpeg } from './ffmpeg.js';
import { endNoted } from './leftovers.js';
import { startPostgres } from './postgres.js';
import { checkPort, freePort, prepareStateDirectory } from './preflight.js';
import type { ProcessGroup } from './process-group.js';
import { ManagedProcess } from './process.js';
import { startRedis } from './redis.js';

/** What is read from the environment to start everything; the apps read the rest themselves. */
export const stackSettings = {
  DATABASE_URL: secret(apiSettings.DATABASE_URL.schema.optional(), apiSettings.DATABASE_URL.about),
  REDIS_URL: secret(z.url().optional(), sharedSettings.REDIS_URL.about),
  EVIDENCE_URL: setting(z.url().optional(), sharedSettings.EVIDENCE_URL.about),
  SPOOL_DIR: setting(z.string().optional(), monitorSettings.SPOOL_DIR.about),
  MODELS_DIR: monitorSettings.MODELS_DIR,
  MAIN_APP_HOST: apiSettings.MAIN_APP_HOST,
  MAIN_APP_PORT: apiSettings.MAIN_APP_PORT,
  SSL_CERT_PATH: apiSettings.SSL_CERT_PATH,
  MONITOR_HOST: monitorSettings.MONITOR_HOST,
  MONITOR_PORT: monitorSettings.MONITOR_PORT,
  MONITOR_ID: monitorSettings.MONITOR_ID,
};

/** How everything is started. */
interface StackOptions {
  /** Directory of databases, evidence, spool and logs. */
  stateDir: string;
  say: (text: string) => void;
  /** For measurements: servers of its own whatever the environment names, and ports that are free. */
  throwaway?: boolean;
  /** How many monitors run; one when left out. Each further one has a spool and a port of its own. */
  monitors?: number;
  /** Variables for both apps, over those of this process. */
  env?: Readonly<Record<string, string>>;
}

/** What runs where. */
interface Stack {
  apiUrl: string;
  monitorUrl: string;
  /** Name and password of the first admin when the api made one now, null otherwise. */
  firstAdmin: { username: string; password: string } | null;
  /** Rows of a table for a person: what, where. */
  rows: [what: string, where: string][];
  logs: string;
}

/** Monitors that one start runs at most. */
export const MOST_MONITORS = 16;

/** What a throw-away stack takes in place of the environment's. */
const THROWAWAY = {
  DATABASE_URL: undefined,
  REDIS_URL: undefined,
  EVIDENCE_URL: undefined,
  SPOOL_DIR: undefined,
  MAIN_APP_PORT: 0,
  SSL_CERT_PATH: undefined,
  MONITOR_PORT: 0,
};

const FIRST_ADMIN = /^Vigil first admin: (\S+) \/ (\S+)\s*$/;

/**
 * Starts Postgres, Redis, the api and the monitors, in that order, and waits until each is ready. Servers that
 * `DATABASE_URL` and `REDIS_URL` name are used as they are.
 * @throws AppError whose message is one sentence for the person.
 */
export async function startStack(group: ProcessGroup, options: StackOptions): Promise<Stack> {
  const configured = loadSettings(stackSettings);
  const settings = options.throwaway === true ? { ...configured, ...THROWAWAY } : configured;
  const stateDir = resolve(options.stateDir);
  const { say } = options;
  const entries = appEntries();
  await prepareStateDirectory(stateDir);
  const note = (name: string): string => join(stateDir, 'run', `${name}.json`);
  const monitors = Array.from({ length: MOST_MONITORS }, (_, index) => monitorName(index));
  for (const name of [...monitors, 'api']) await endNoted(note(name), name, say);
  await checkPort(settings.MAIN_APP_HOST, settings.MAIN_APP_PORT, 'MAIN_APP_PORT');
  await checkPort(settings.MONITOR_HOST, settings.MONITOR_PORT, 'MONITOR_PORT');
  if (settings.MAIN_APP_PORT !== 0 && settings.MAIN_APP_PORT === settings.MONITOR_PORT) {
    throw new AppError(
      'port.busy',
      'user',
      `MAIN_APP_PORT and MONITOR_PORT are both ${settings.MONITOR_PORT}: change one.`,
    );
  }
  const apiPort = settings.MAIN_APP_PORT || (await freePort());
  const monitorPort = settings.MONITOR_PORT || (await freePort());
  const ffmpeg = await ensureFfmpeg(say);
  const database = await databaseFor(group, settings.DATABASE_URL, stateDir, say);
  const redis = await redisFor(group, settings.REDIS_URL, stateDir, say);

  const evidence = settings.EVIDENCE_URL ?? pathToFileURL(join(stateDir, 'evidence')).href;
  const logs = join(stateDir, 'logs');
  const env = childEnvironment({
    DATABASE_URL: database.url,
    DATABASE_URL_FILE: undefined,
    REDIS_URL_FILE: undefined,
    REDIS_URL: redis.url,
    EVIDENCE_URL: evidence,
    MODELS_DIR: resolve(repositoryRoot, settings.MODELS_DIR),
    FFMPEG_PATH: ffmpeg.path,
    MAIN_APP_PORT: String(apiPort),
    ...options.env,
  });
  const scheme = settings.SSL_CERT_PATH === undefined ? 'http' : 'https';
  const apiUrl = `${scheme}://${reachable(settings.MAIN_APP_HOST)}:${apiPort}`;
  const monitorUrl = `http://${reachable(settings.MONITOR_HOST)}:${monitorPort}`;
  let firstAdmin: Stack['firstAdmin'] = null;
  const app = { command: process.execPath, cwd: repositoryRoot, env, graceMs: 15_000 };
  say('Starting the api …');
  await group.run(
    new ManagedProcess({
      ...app,
      name: 'api',
      args: ['--enable-source-maps', entries.api],
      logFile: join(logs, 'api.log'),
      noteFile: note('api'),
      ready: { check: () => answersWell(`${apiUrl}/api/health/ready`) },
      onLine: (line) => {
        const match = FIRST_ADMIN.exec(line);
        if (match?.[1] === undefined || match[2] === undefined) return line;
        firstAdmin = { username: match[1], password: match[2] };
        return null;
      },
    }),
  );
  const spool = settings.SPOOL_DIR ?? join(stateDir, 'spool');
  for (const [index, name] of monitors.slice(0, options.monitors ?? 1).entries()) {
    say(`Starting the ${name} …`);
    const port = index === 0 ? monitorPort : await freePort();
    const suffix = index === 0 ? '' : `-${String(index + 1)}`;
    const { MONITOR_ID: id } = settings;
    const own = {
      MONITOR_PORT: String(port),
      SPOOL_DIR: spool + suffix,
      MONITOR_ID: id === undefined ? id : id + suffix,
    };
    await group.run(
      new ManagedProcess({
        ...app,
        env: { ...env, ...own },
        name,
        args: ['--enable-source-maps', entries.monitor],
        logFile: join(logs, `${name}.log`),
        noteFile: note(name),
        ready: { url: `http://${reachable(settings.MONITOR_HOST)}:${port}/health/ready` },
        // The model may have to be downloaded first.
        readyTimeoutMs: 150_000,
      }),
    );
  }
  const rows: Stack['rows'] = [
    ['api', `${apiUrl}/api`],
    ['documentation', `${apiUrl}/docs`],
    ['monitor', `${monitorUrl}/health`],
    ['database', database.description],
    ['Redis', redis.description],
    ...(await detectorRows(monitorUrl)),
    ['ffmpeg', `${ffmpeg.path} (${ffmpeg.version.split(' ').slice(0, 3).join(' ')})`],
    ['evidence', evidence],
    ['logs', logs],
  ];
  return { apiUrl, monitorUrl, firstAdmin, rows, logs };
}

const monitorName = (index: number): string => (index === 0 ? 'monitor' : `monitor-${String(index + 1)}`);

/** Paths of the compiled apps. */
function appEntries(): { api: string; monitor: string } {
  const entry = (app: string): string => join(repositoryRoot, 'dist', 'apps', app, 'src', 'main.js');
  const entries = { api: entry('api'), monitor: entry('monitor') };
  for (const path of Object.values(entries)) {
    if (!existsSync(path))
      throw new AppError('build.missing', 'user', `${path} is missing: run \`npm run build\` first.`);
  }
  return entries;
}

interface Server {
  url: string;
  description: string;
}

async function databaseFor(
  group: ProcessGroup,
  url: string | undefined,
  stateDir: string,
  say: StackOptions['say'],
): Promise<Server> {
  if (url !== undefined) return { url, description: `DATABASE_URL (${new URL(url).host})` };
  say('Starting PostgreSQL …');
  const postgres = await group.add('postgres', () => startPostgres({ dir: join(stateDir, 'postgres'), say }));
  group.keepRunning(postgres.process);
  return { url: postgres.url, description: `PostgreSQL ${postgres.version}, embedded, data in ${postgres.dataDir}` };
}

async function redisFor(
  group: ProcessGroup,
  url: string | undefined,
  stateDir: string,
  say: StackOptions['say'],
): Promise<Server> {
  if (url !== undefined) return { url, description: `REDIS_URL (${new URL(url).host})` };
  say('Starting Redis …');
  const redis = await group.add('redis', () => startRedis({ dir: join(stateDir, 'redis'), say }));
  group.keepRunning(redis.process);
  return { url: redis.url, description: redis.description };
}

/** An address a browser can open for a host that is listened on. */
function reachable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
}

const Health = z.object({ detectors: z.array(z.object({ id: z.string(), detail: z.string() })) });

/** What the monitor says about its detectors; its own words, since only it knows what it loaded, without commands. */
async function detectorRows(monitorUrl: string): Promise<Stack['rows']> {
  try {
    const response = await fetch(`${monitorUrl}/health`, { signal: AbortSignal.timeout(3_000) });
    const health = Health.safeParse(await response.json());
    if (health.success) return health.data.detectors.map(({ id, detail }) => [id, detail.split(' Fetch it:')[0] ?? '']);
  } catch {
    // The table is a courtesy; the address beside it tells more.
  }
  return [['detectors', `see ${monitorUrl}/health`]];
}

/** Whether the api answers; it is ours and on this machine, so nobody need vouch for its certificate. */
function answersWell(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    const get = url.startsWith('https:') ? https.get : http.get;
    const request = get(url, { rejectUnauthorized: false, timeout: 3_000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(false));
  });
}

/** A table of two columns, aligned. */
export function table(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([what]) => what.length));
  return rows.map(([what, where]) => `  ${what.padEnd(width)}  ${where}`).join('\n');
}
