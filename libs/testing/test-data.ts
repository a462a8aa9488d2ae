import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { loadSettings, repositoryRoot } from '#libs/config/environment.js';
import { setting } from '#libs/config/settings.js';
import { z } from 'zod';

const testSettings = {
  VIGIL_TEST_DATA: setting(z.string().optional(), 'Directory of test photographs, models and clips.'),
};

/** Path of a file of the test data, or null when that data is not on this machine. */
export function testData(name: string): string | null {
  const directory = loadSettings(testSettings).VIGIL_TEST_DATA ?? resolve(repositoryRoot, '..', 'shared', 'data');
  const path = join(directory, name);
  return existsSync(path) ? path : null;
}

/**
 * Like `it`, but for cases that need a file of the test data: without it the case says so and passes, so that a
 * fresh clone is green and honest.
 */
export function itWithData<Names extends readonly string[]>(
  title: string,
  names: readonly [...Names],
  run: (...paths: { [Index in keyof Names]: string }) => Promise<void>,
  timeoutMs?: number,
): void {
  const paths = names.map(testData);
  const missing = names.filter((_, index) => paths[index] === null);
  it(
    missing.length === 0 ? title : `${title} [left out: no ${missing.join(', ')}]`,
    async () => {
      if (missing.length > 0) {
        process.stderr.write(`left out, test data missing (${missing.join(', ')}): ${title}\n`);
        return;
      }
      await run(...(paths.filter((path) => path !== null) as { [Index in keyof Names]: string }));
    },
    timeoutMs,
  );
}
