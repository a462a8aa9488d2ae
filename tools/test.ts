import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { childEnvironment, loadSettings, repositoryRoot } from '#libs/config/environment.js';
import { setting } from '#libs/config/settings.js';
import { AppError } from '#libs/errors/app-error.js';
import { guard } from './services/guard.js';
import { runCommand } from './services/command.js';
import { ensureFfmpeg } from './services/ffmpeg.js';
import { lockInstance } from './services/instance-lock.js';
import { startPostgres } from './services/postgres.js';
import { prepareStateDirectory } from './services/preflight.js';
import { startRedis } from './services/redis.js';

const Report = z.object({
  numPassedTests: z.number(),
  numFailedTests: z.number(),
  numPendingTests: z.number(),
  numTodoTests: z.number(),
  numRuntimeErrorTestSuites: z.number(),
});

const testSettings = {
  DATABASE_URL: setting(z.url().optional(), 'Database for the tests; a throw-away one is started when unset.'),
  REDIS_URL: setting(z.url().optional(), 'Redis for the tests; a throw-away one is started when unset.'),
};

/** Runs Jest in this terminal; resolves with its exit code. A stop ends it and what it started. */
async function runJest(args: readonly string[], env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<number> {
  const jest = join(repositoryRoot, 'node_modules', 'jest', 'bin', 'jest.js');
  const flags = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', '--enable-source-maps'];
  const child = spawn(process.execPath, [...flags, jest, '-i', ...args], {
    cwd: repositoryRoot,
    env,
    stdio: ['ignore', 'inherit', 'inherit'],
    detached: true,
  });
  const { pid } = child;
  if (pid !== undefined) guard.add(pid, 'SIGTERM', 5_000);
  const end = (): void => void child.kill('SIGTERM');
  if (signal.aborted) end();
  signal.addEventListener('abort', end);
  const code = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (exitCode) => resolve(exitCode ?? 1));
  });
  signal.removeEventListener('abort', end);
  if (pid !== undefined) {
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // Nothing is left of its group.
    }
    guard.remove(pid);
  }
  return code;
}

await runCommand(async ({ group, signal, say }) => {
  const stateDir = join(repositoryRoot, '.vigil', 'test');
  await prepareStateDirectory(stateDir);
  const lock = await lockInstance(stateDir, 'npm test');
  await group.add('lock', async () => ({ stop: async () => lock.release() }));
  const settings = loadSettings(testSettings);
  const ffmpeg = await ensureFfmpeg(say);
  const dir = (name: string): string => {
    const path = join(stateDir, name);
    rmSync(path, { recursive: true, force: true });
    mkdirSync(path, { recursive: true });
    return path;
  };
  const database =
    settings.DATABASE_URL ??
    (await group.add('postgres', () => startPostgres({ dir: join(stateDir, 'postgres'), throwaway: true, say }))).url;
  const redis = settings.REDIS_URL ?? (await group.add('redis', () => startRedis({ dir: dir('redis'), say }))).url;
  const reportFile = join(stateDir, 'report.json');
  rmSync(reportFile, { force: true });
  const env = childEnvironment({
    NODE_ENV: 'test',
    DATABASE_URL: database,
    REDIS_URL: redis,
    FFMPEG_PATH: ffmpeg.path,
    MODELS_DIR: childEnvironment().MODELS_DIR ?? join(repositoryRoot, 'models'),
    NODE_CHANNEL_FD: undefined,
  });
  if (signal.aborted) return 1;
  const patterns = process.argv.slice(2);
  const code = await runJest(
    [...patterns, '--json', `--outputFile=${reportFile}`],
    { ...env, FORCE_COLOR: undefined },
    signal,
  );
  await group.stop();
  if (!existsSync(reportFile))
    throw new AppError('test.no_report', 'operational', 'Jest ended without a report; it says why above.');
  const report = Report.parse(JSON.parse(readFileSync(reportFile, 'utf8')));
  const failed = report.numFailedTests + report.numRuntimeErrorTestSuites;
  const skipped = report.numPendingTests + report.numTodoTests;
  process.stdout.write(`\n${report.numPassedTests} passed, ${failed} failed, ${skipped} skipped\n`);
  return failed > 0 && code === 0 ? 1 : code;
});
