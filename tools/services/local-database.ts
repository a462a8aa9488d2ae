import { join } from 'node:path';
import { repositoryRoot } from '#libs/config/environment.js';
import { lockInstance } from './instance-lock.js';
import { runningPostgres, startPostgres } from './postgres.js';
import { prepareStateDirectory } from './preflight.js';
import type { ProcessGroup } from './process-group.js';

/**
 * The url of the database that a command works on: the configured one, else the one of `npm start`, which is started
 * for the command when it does not run.
 * @param who the command, for whoever finds the data in use
 */
export async function databaseUrl(
  configured: string | undefined,
  group: ProcessGroup,
  say: (text: string) => void,
  who: string,
): Promise<string> {
  if (configured !== undefined) return configured;
  const stateDir = join(repositoryRoot, '.vigil');
  const dir = join(stateDir, 'postgres');
  const running = await runningPostgres(dir);
  if (running !== null) return running;
  await prepareStateDirectory(stateDir);
  const lock = await lockInstance(stateDir, who);
  await group.add('lock', async () => ({ stop: async () => lock.release() }));
  say('Starting PostgreSQL …');
  return (await group.add('postgres', () => startPostgres({ dir, say }))).url;
}
