import { access, constants, mkdir, readFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { join, resolve } from 'node:path';
import pg from 'pg';
import { loadEnvFile, loadSettings, repositoryRoot } from '#libs/config/environment.js';
import { apiSettings, monitorSettings } from '#libs/config/shared.settings.js';
import { messageOf } from '#libs/errors/app-error.js';
import { findOnPath, resolvePackage, versionLine } from './services/executables.js';
import { canInstallFfmpeg, currentFfmpeg } from './services/ffmpeg.js';
import { packagedPostgres } from './services/postgres-account.js';
import { checkPort, freeBytes, LEAST_FREE_BYTES } from './services/preflight.js';
import { pingRedis } from './services/redis-ping.js';
import { findRedisServer } from './services/redis.js';
import { stackSettings } from './services/stack.js';

/** One thing that was looked at: `missing` keeps Vigil from starting, `note` does not. */
interface Finding {
  what: string;
  state: 'ok' | 'note' | 'missing';
  detail: string;
}

type Look = () => Promise<Omit<Finding, 'what'>>;

const ok = (detail: string): Omit<Finding, 'what'> => ({ state: 'ok', detail });
const note = (detail: string): Omit<Finding, 'what'> => ({ state: 'note', detail });
const missing = (detail: string): Omit<Finding, 'what'> => ({ state: 'missing', detail });

if (process.argv.length > 2) {
  const help = ['--help', '-h'].includes(process.argv[2] ?? '');
  const usage =
    'usage: npm run doctor\n\nSays what Vigil needs, what is found and what is missing. Exit code 0 when `npm start` would work.\n';
  (help ? process.stdout : process.stderr).write(usage);
  process.exit(help ? 0 : 2);
}

loadEnvFile();

const looks: [string, Look][] = [
  ['Node', async () => ok(process.versions.node)],
  [
    'npm',
    async () => {
      const npm = findOnPath(['npm']);
      const version = npm === null ? null : await versionLine(npm);
      return version === null ? note('not on PATH; needed only to install dependencies') : ok(version);
    },
  ],
  ['dependencies', async () => ok('installed as package-lock.json says; the launcher has seen to it')],
  [
    'configuration',
    async () => {
      const optional = { ...apiSettings, ...monitorSettings, ...stackSettings };
      loadSettings(optional);
      return ok(existsSync(join(repositoryRoot, '.env')) ? 'environment and .env' : 'environment; there is no .env');
    },
  ],
  [
    'ffmpeg',
    async () => {
      try {
        const { path, version } = await currentFfmpeg();
        return ok(`${path}: ${version}`);
      } catch (error) {
        if (canInstallFfmpeg()) return note('not found; `npm start` will install it with apt-get');
        return missing(messageOf(error));
      }
    },
  ],
  [
    'PostgreSQL',
    async () => {
      const { DATABASE_URL: url } = loadSettings(stackSettings);
      if (url !== undefined) return await postgresAnswers(url);
      return packagedPostgres() === null
        ? missing(
            `DATABASE_URL is unset and there is no embedded one for ${process.platform}-${process.arch}: set DATABASE_URL`,
          )
        : ok('embedded; DATABASE_URL is unset');
    },
  ],
  [
    'Redis',
    async () => {
      const { REDIS_URL: url } = loadSettings(stackSettings);
      if (url !== undefined) return await redisAnswers(url);
      const program = await findRedisServer();
      if (program !== null) return ok(`${program.path} ${program.version}, as a private child; REDIS_URL is unset`);
      return note('no redis-server or valkey-server 6.2 or newer on PATH: js-redis-server will do for evaluation only');
    },
  ],
  ['model', modelFinding],
  [
    'write access',
    async () => {
      const directory = join(repositoryRoot, '.vigil');
      await mkdir(directory, { recursive: true });
      await access(directory, constants.W_OK);
      return ok(directory);
    },
  ],
  [
    'free disk',
    async () => {
      const bytes = await freeBytes(repositoryRoot);
      const text = `${Math.floor(bytes / 1024 / 1024)} MB`;
      return bytes < LEAST_FREE_BYTES ? missing(`${text} left, at least 500 MB are needed: free some`) : ok(text);
    },
  ],
  ['api port', () => portFinding('MAIN_APP')],
  ['monitor port', () => portFinding('MONITOR')],
];

async function postgresAnswers(url: string): Promise<Omit<Finding, 'what'>> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ server_version: string }>('SHOW server_version');
    return ok(`DATABASE_URL answers: ${rows[0]?.server_version ?? 'unknown version'}`);
  } catch (error) {
    return missing(
      `DATABASE_URL does not answer (${messageOf(error)}): correct it, or unset it to use the embedded one`,
    );
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function redisAnswers(url: string): Promise<Omit<Finding, 'what'>> {
  try {
    if (url.startsWith('rediss:')) return await tlsPortAnswers(url);
    await pingRedis(url);
    return ok('REDIS_URL answers');
  } catch (error) {
    return missing(`REDIS_URL does not answer (${messageOf(error)}): correct it, or unset it to use an embedded one`);
  }
}

async function tlsPortAnswers(url: string): Promise<Omit<Finding, 'what'>> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port || 6379), timeout: 5_000 });
  await new Promise<void>((done, fail) => {
    socket.once('connect', done).once('error', fail);
    socket.once('timeout', () => fail(new Error('no answer within 5 s')));
  }).finally(() => socket.destroy());
  return note('REDIS_URL can be reached; what answers over TLS was not looked at');
}

async function modelFinding(): Promise<Omit<Finding, 'what'>> {
  const {
    MODEL: model,
    MODELS_DIR: directory,
    MODEL_DOWNLOAD: download,
  } = loadSettings({
    MODEL: monitorSettings.MODEL,
    MODELS_DIR: monitorSettings.MODELS_DIR,
    MODEL_DOWNLOAD: monitorSettings.MODEL_DOWNLOAD,
  });
  const models = resolve(repositoryRoot, directory);
  const candidates = model.endsWith('.onnx')
    ? [resolve(repositoryRoot, model)]
    : [join(models, `${model}.onnx`), join(models, `${model.replaceAll('-', '_')}.onnx`)];
  const found = candidates.find((path) => existsSync(path));
  if (found !== undefined) return ok(`${found}, ${(await readFile(found)).length} bytes`);
  const fallback = resolvePackage('@vladmandic/human/package.json') !== null;
  const next = [
    ...(download && !model.endsWith('.onnx') ? ['it is downloaded at the first start where the network allows'] : []),
    ...(fallback ? ['else the weaker weights of a package are used'] : []),
  ];
  const text = `${model} is not in ${models}`;
  return next.length > 0
    ? note(`${text}; ${next.join(', ')}`)
    : note(`${text}: put the file there; until then streams are watched without video detection`);
}

async function portFinding(app: 'MAIN_APP' | 'MONITOR'): Promise<Omit<Finding, 'what'>> {
  const settings = loadSettings(stackSettings);
  const [host, port] = [settings[`${app}_HOST`], settings[`${app}_PORT`]];
  await checkPort(host, port, `${app}_PORT`);
  return ok(`${host}:${port} is free`);
}

const findings: Finding[] = [];
for (const [what, look] of looks) {
  try {
    findings.push({ what, ...(await look()) });
  } catch (error) {
    findings.push({ what, ...missing(messageOf(error)) });
  }
}
const width = Math.max(...findings.map(({ what }) => what.length));
for (const { what, state, detail } of findings) {
  process.stdout.write(`${state.padEnd(7)}  ${what.padEnd(width)}  ${detail}\n`);
}
const faults = findings.filter(({ state }) => state === 'missing');
process.stdout.write(
  faults.length === 0
    ? '\n`npm start` would work.\n'
    : `\n\`npm start\` would not work: mend ${faults.map(({ what }) => what).join(', ')}.\n`,
);
process.exit(faults.length === 0 ? 0 : 1);
