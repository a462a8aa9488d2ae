import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { setTimeout } from 'node:timers/promises';
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
  testResults: z.array(z.object({ name: z.string(), status: z.enum(['passed', 'failed']).catch('passed') })),
});
type Report = z.infer<typeof Report>;

/** Specs that start both apps as processes, or hold one duration against another: nothing runs beside them. */
const ALONE = ['/dist/test/', '/flood\\.spec', '/hostile(-rules)?\\.spec'];

/** How long Jest may take to end after it has written its report; ms. */
const LEFTOVER_MS = 20_000;

/** More files than this that fail are a fault, not unsteadiness; they are not run again. */
const MAX_SUSPECTS = 5;

const stateDir = join(repositoryRoot, '.vigil', 'test');
const reportFile = join(stateDir, 'report.json');

const testSettings = {
  DATABASE_URL: setting(z.url().optional(), 'Database for the tests; a throw-away one is started when unset.'),
  REDIS_URL: setting(z.url().optional(), 'Redis for the tests; a throw-away one is started when unset.'),
};

/**
 * Runs Jest in this terminal and reads its report. A stop ends it and what it started, and so does something that a
 * spec left open: what was left is ended, and said.
 * @throws AppError `test.no_report`
 */
async function runJest(args: readonly string[], env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<Report> {
  rmSync(reportFile, { force: true });
  const jest = join(repositoryRoot, 'node_modules', 'jest', 'bin', 'jest.js');
  const flags = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', '--enable-source-maps'];
  const child = spawn(process.execPath, [...flags, jest, ...args, '--json', `--outputFile=${reportFile}`], {
    cwd: repositoryRoot,
    env,
    // The report is read from its file; what Jest repeats on its standard output is nobody's.
    stdio: ['ignore', 'ignore', 'inherit'],
    detached: true,
  });
  const { pid } = child;
  if (pid !== undefined) guard.add(pid, 'SIGTERM', 5_000);
  const end = (): void => void child.kill('SIGTERM');
  if (signal.aborted) end();
  signal.addEventListener('abort', end);
  const ended = new AbortController();
  void endLeftover(child, ended.signal);
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', () => resolve());
  });
  ended.abort();
  signal.removeEventListener('abort', end);
  if (pid !== undefined) {
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // Nothing is left of its group.
    }
    guard.remove(pid);
  }
  if (!existsSync(reportFile))
    throw new AppError('test.no_report', 'operational', 'Jest ended without a report; it says why above.');
  return Report.parse(JSON.parse(readFileSync(reportFile, 'utf8')));
}

/** Ends a Jest that has told its results and yet goes on, because a spec left something open. */
async function endLeftover(jest: ChildProcess, ended: AbortSignal): Promise<void> {
  let toldAt: number | null = null;
  while (!ended.aborted) {
    await setTimeout(1_000, undefined, { ref: false });
    if (toldAt === null && existsSync(reportFile)) toldAt = performance.now();
    if (toldAt === null || performance.now() - toldAt < LEFTOVER_MS) continue;
    process.stderr.write('A spec left something open, so Jest was ended after its report.\n');
    jest.kill('SIGKILL');
    return;
  }
}

const failedFiles = ({ testResults }: Report): string[] =>
  testResults.filter(({ status }) => status === 'failed').map(({ name }) => name);

await runCommand(async ({ group, signal, say }) => {
  await prepareStateDirectory(stateDir);
  const lock = await lockInstance(stateDir, 'npm test');
  await group.add('lock', async () => ({ stop: async () => lock.release() }));
  const settings = loadSettings(testSettings);
  const ffmpeg = await ensureFfmpeg(say);
  const redisServer = async (name: string): Promise<string> => {
    const dir = join(stateDir, name);
    rmSync(dir, { recursive: true, force: true });
    mkdirSync(dir, { recursive: true });
    return (await group.add(name, () => startRedis({ dir, say }))).url;
  };
  const database =
    settings.DATABASE_URL ??
    (await group.add('postgres', () => startPostgres({ dir: join(stateDir, 'postgres'), throwaway: true, say }))).url;
  const patterns = process.argv.slice(2);
  const twoAtATime = patterns.length === 0 && settings.REDIS_URL === undefined;
  const env = childEnvironment({
    NODE_ENV: 'test',
    DATABASE_URL: database,
    REDIS_URL: settings.REDIS_URL ?? (await redisServer('redis')),
    SECOND_REDIS_URL: twoAtATime ? await redisServer('redis-2') : undefined,
    FFMPEG_PATH: ffmpeg.path,
    MODELS_DIR: childEnvironment().MODELS_DIR ?? join(repositoryRoot, 'models'),
    NODE_CHANNEL_FD: undefined,
    FORCE_COLOR: undefined,
  });
  const alone = ALONE.join('|');
  const rounds = twoAtATime
    ? [
        ['--maxWorkers=2', '--workerIdleMemoryLimit=1GB', `--testPathIgnorePatterns=${alone}`],
        ['-i', `--testPathPatterns=${alone}`],
      ]
    : [['-i', ...patterns]];
  const reports: Report[] = [];
  for (const args of rounds) {
    if (signal.aborted) return 1;
    reports.push(await runJest(args, env, signal));
  }
  const sum = (count: (report: Report) => number): number =>
    reports.reduce((total, report) => total + count(report), 0);
  let failed = sum((report) => report.numFailedTests + report.numRuntimeErrorTestSuites);
  const suspects = reports.flatMap(failedFiles);
  let unsteady: string[] = [];
  if (twoAtATime && suspects.length > 0 && suspects.length <= MAX_SUSPECTS && !signal.aborted) {
    process.stderr.write(`\n${failed} failed; their ${suspects.length} files once more, each by itself:\n`);
    const again = await runJest(['-i', '--runTestsByPath', ...suspects], env, signal);
    failed = again.numFailedTests + again.numRuntimeErrorTestSuites;
    unsteady = suspects.filter((file) => !failedFiles(again).includes(file));
  }
  await group.stop();
  const skipped = sum((report) => report.numPendingTests + report.numTodoTests);
  for (const file of unsteady)
    process.stdout.write(
      `unsteady: ${relative(repositoryRoot, file)} failed once and passed when run again by itself\n`,
    );
  process.stdout.write(`\n${sum((report) => report.numPassedTests)} passed, ${failed} failed, ${skipped} skipped\n`);
  return failed > 0 || signal.aborted ? 1 : 0;
});
