import { parseArgs } from 'node:util';
import { messageOf } from '#libs/errors/app-error.js';
import { benchLatency } from '../test/bench/latency.js';
import { benchPhrases } from '../test/bench/phrases.js';
import { benchVideo } from '../test/bench/video.js';

const BENCHES: Readonly<Record<string, (progress: (text: string) => void) => Promise<object>>> = {
  video: benchVideo,
  latency: benchLatency,
  phrases: benchPhrases,
};

const USAGE = `usage: npm run --silent bench -- <${Object.keys(BENCHES).join('|')}> [--json]`;

/** Runs one bench; progress goes to stderr, the figures to stdout. */
async function main(): Promise<number> {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { json: { type: 'boolean' } } });
  const bench = BENCHES[positionals[0] ?? ''];
  if (bench === undefined || positionals.length !== 1) {
    process.stderr.write(`${USAGE}\n`);
    return 2;
  }
  const figures = await bench((text) => process.stderr.write(`${text}\n`));
  if (values.json === true) console.log(JSON.stringify(figures));
  else for (const [name, value] of Object.entries(figures)) console.log(`${name.padEnd(28)} ${String(value)}`);
  return 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`bench: ${messageOf(error)}\n${error instanceof TypeError ? `${USAGE}\n` : ''}`);
  process.exitCode = 1;
}
