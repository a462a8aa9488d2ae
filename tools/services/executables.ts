import { execFile } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { childEnvironment } from '#libs/config/environment.js';

const run = promisify(execFile);

/** Whether a path is a file that this user may run. */
function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** Full path of the first of some programs that is on PATH, null when none is. Earlier names win. */
export function findOnPath(names: readonly string[], path = childEnvironment().PATH ?? ''): string | null {
  for (const name of names) {
    for (const directory of path.split(delimiter)) {
      if (directory !== '' && isExecutable(join(directory, name))) return join(directory, name);
    }
  }
  return null;
}

/** First line that a program prints for a version flag, null when it does not run. Gives up after 10 s. */
export async function versionLine(program: string, flag = '--version'): Promise<string | null> {
  try {
    const { stdout, stderr } = await run(program, [flag], { timeout: 10_000 });
    return (stdout || stderr).split('\n')[0]?.trim() ?? null;
  } catch {
    return null;
  }
}

/** Where a package's own entry lies, null when it is not installed. Looks from `from`, this file by default. */
export function resolvePackage(name: string, from: string = import.meta.url): string | null {
  try {
    return createRequire(from).resolve(name);
  } catch {
    return null;
  }
}
