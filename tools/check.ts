import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { childEnvironment, repositoryRoot } from '#libs/config/environment.js';
import { commandFaults } from './check/commands.js';
import { documentFaults, groundOf } from './check/documents.js';
import { unprovenImportRules } from './check/import-fixtures.js';
import { openApiFaults } from './check/openapi-lint.js';

/** One thing that must hold before a commit. */
interface Step {
  name: string;
  /** @returns what is wrong; an empty text when all is well. */
  run: () => Promise<string>;
}

/** Runs a program of node_modules; its output is the complaint when it fails. */
function program(script: string, ...args: string[]): () => Promise<string> {
  return () =>
    new Promise((resolve) => {
      const child = spawn(process.execPath, [join(repositoryRoot, script), ...args], {
        cwd: repositoryRoot,
        env: childEnvironment({ FORCE_COLOR: '0' }),
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      let output = '';
      const collect = (chunk: Buffer): void => {
        output = (output + chunk.toString()).slice(-20_000);
      };
      child.stdout.on('data', collect);
      child.stderr.on('data', collect);
      child.on('error', (error) => resolve(error.message));
      child.on('close', (code) => resolve(code === 0 ? '' : output || `exit code ${code}`));
    });
}

const openApiText = (): Promise<string> => readFile(join(repositoryRoot, 'openapi.json'), 'utf8');

const STEPS: Step[] = [
  { name: 'lint', run: program('node_modules/eslint/bin/eslint.js', '.', '--max-warnings', '0') },
  { name: 'types', run: program('node_modules/typescript/bin/tsc', '-p', '.', '--noEmit') },
  { name: 'format', run: program('node_modules/prettier/bin/prettier.cjs', '--check', '--log-level', 'warn', '.') },
  {
    name: 'imports',
    run: program(
      'node_modules/dependency-cruiser/bin/dependency-cruise.mjs',
      '--config',
      '.dependency-cruiser.cjs',
      ...['apps', 'libs', 'tools', 'test', 'clients'],
    ),
  },
  { name: 'import rules proven', run: async () => (await unprovenImportRules()).join('\n') },
  { name: 'unused code and dependencies', run: program('node_modules/knip/bin/knip.js') },
  { name: 'generated files', run: program('dist/tools/generate.js', '--check') },
  { name: 'documents', run: async () => (await documentFaults(await groundOf(repositoryRoot))).join('\n') },
  { name: 'commands', run: async () => (await commandFaults(await groundOf(repositoryRoot))).join('\n') },
  { name: 'OpenAPI document', run: async () => (await openApiFaults(await openApiText())).join('\n') },
];

/** How many steps run at once: the machines this runs on have two cores. */
const LANES = 2;

const waiting = [...STEPS];
const failed: string[] = [];
async function lane(): Promise<void> {
  for (let step = waiting.shift(); step !== undefined; step = waiting.shift()) {
    const startedAt = performance.now();
    const complaint = await step.run();
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    console.log(`${complaint === '' ? 'ok  ' : 'FAIL'} ${step.name} (${seconds} s)`);
    if (complaint !== '') {
      console.log(complaint);
      failed.push(step.name);
    }
  }
}
await Promise.all(Array.from({ length: LANES }, lane));
console.log(failed.length === 0 ? 'check: all is well' : `check: ${failed.join(', ')}`);
process.exitCode = failed.length === 0 ? 0 : 1;
