import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseSettings, type Settings, type Values } from './settings.js';

/** Parses a group of settings out of this process's environment; the only place that reads it. */
export function loadSettings<Group extends Settings>(group: Group): Values<Group> {
  return parseSettings(group, process.env);
}

/** A copy of this process's environment for a child process, with changes on top. */
export function childEnvironment(changes: Readonly<Record<string, string | undefined>> = {}): NodeJS.ProcessEnv {
  return { ...process.env, ...changes };
}

/** Root of the project, whether run from the sources or from `dist/`. */
export const repositoryRoot = fileURLToPath(
  new URL(import.meta.url.includes('/dist/') ? '../../../' : '../../', import.meta.url),
);

/** Adds what the project's `.env` file sets, where there is one; variables that are set already keep their value. */
export function loadEnvFile(): void {
  const path = join(repositoryRoot, '.env');
  if (existsSync(path)) process.loadEnvFile(path);
}
