import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { repositoryRoot } from '#libs/config/environment.js';
import { messageOf } from '#libs/errors/app-error.js';
import { apiDocument } from './generate/api-document.js';
import { restTypes, socketTypes } from './generate/client.js';
import { configurationPage, envExample } from './generate/configuration.js';

/** Every generated file, by its path from the root of the project. */
async function generatedFiles(): Promise<Map<string, string>> {
  const document = await apiDocument();
  const options = await resolveConfig(join(repositoryRoot, 'package.json'));
  return new Map([
    ['openapi.json', `${JSON.stringify(document, null, 2)}\n`],
    ['.env.example', envExample()],
    ['docs/configuration.md', await format(configurationPage(), { ...options, parser: 'markdown' })],
    ['clients/typescript/generated/rest.ts', await restTypes(document)],
    ['clients/typescript/generated/sockets.ts', await socketTypes()],
  ]);
}

/** Writes what is generated, or with `--check` says which files differ and exits 1. */
async function main(): Promise<void> {
  const checkOnly = process.argv.includes('--check');
  const stale: string[] = [];
  for (const [path, text] of await generatedFiles()) {
    const file = join(repositoryRoot, path);
    const there = await readFile(file, 'utf8').catch(() => null);
    if (there === text) continue;
    stale.push(path);
    if (checkOnly) continue;
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  }
  const verb = checkOnly ? 'out of date, run `npm run generate`' : 'written';
  for (const path of stale) process.stdout.write(`${path}: ${verb}\n`);
  if (checkOnly && stale.length > 0) process.exitCode = 1;
}

main().catch((error: unknown) => {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = 1;
});
