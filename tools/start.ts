import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { loadEnvFile, repositoryRoot } from '#libs/config/environment.js';
import { aborted, runCommand } from './services/command.js';
import { lockInstance } from './services/instance-lock.js';
import { prepareStateDirectory } from './services/preflight.js';
import { MOST_MONITORS, startStack, table } from './services/stack.js';

const USAGE = `usage: npm start [-- --monitors 2]

Starts the api and the monitor, with a PostgreSQL and a Redis of their own where DATABASE_URL and REDIS_URL are unset.
Data and logs are kept in .vigil/. Settings come from the environment and from .env; see .env.example.
Ctrl-C stops everything.
  --monitors N  so many monitors, at most ${String(MOST_MONITORS)}; they share the streams, each has a spool of its own
`;

/** How many monitors are wanted; ends the process where the command line says something else. */
function monitorsWanted(): number {
  try {
    const { values } = parseArgs({ options: { monitors: { type: 'string' }, help: { type: 'boolean', short: 'h' } } });
    if (values.help === true) {
      process.stdout.write(USAGE);
      process.exit(0);
    }
    const count = Number(values.monitors ?? 1);
    if (Number.isInteger(count) && count >= 1 && count <= MOST_MONITORS) return count;
  } catch {
    // The usage says what there is.
  }
  process.stderr.write(USAGE);
  process.exit(2);
}

const monitors = monitorsWanted();
loadEnvFile();
await runCommand(async ({ group, signal, say }) => {
  const stateDir = join(repositoryRoot, '.vigil');
  await prepareStateDirectory(stateDir);
  const lock = await lockInstance(stateDir, 'npm start');
  await group.add('lock', async () => ({ stop: async () => lock.release() }));
  const begun = startStack(group, { stateDir, say, monitors });
  const stack = await Promise.race([begun, aborted(signal)]);
  if (stack !== undefined && !signal.aborted) {
    process.stdout.write(`\nVigil runs.\n\n${table(stack.rows)}\n\n`);
    if (stack.firstAdmin !== null) {
      const { username, password } = stack.firstAdmin;
      process.stdout.write(`First admin, shown only this once: ${username} / ${password}\n\n`);
    }
    process.stdout.write('Ctrl-C stops everything.\n');
    await aborted(signal);
  }
  begun.catch(() => undefined);
  if (group.failed.aborted) throw group.failed.reason;
  say('Stopping …');
  await group.stop();
  say('Stopped.');
  return 0;
});
