import { parseArgs } from 'node:util';
import { messageOf } from '#libs/errors/app-error.js';
import { benchApi } from '../test/bench/api.js';
import { benchLatency } from '../test/bench/latency.js';
import { benchPhrases } from '../test/bench/phrases.js';
import { benchRetention } from '../test/bench/retention.js';
import { benchVideo } from '../test/bench/video.js';

/** What the command line says about how large a run is; for `api`, and the rows for `retention`. */
interface Size {
  detections: number;
  seconds: number;
}

const BENCHES: Readonly<Record<string, (progress: (text: string) => void, size: Size) => Promise<object>>> = {
  api: benchApi,
  video: benchVideo,
  latency: benchLatency,
  phrases: benchPhrases,
  retention: benchRetention,
};

const USAGE = `usage: npm run --silent bench -- <${Object.keys(BENCHES).join('|')}> [--json]\n  api: [--detections 1000000] [--seconds 120]\n  retention: [--detections 1000000]`;

/** Runs one bench; progress goes to stderr, the figures to stdout. */
async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      json: { type: 'boolean' },
      detections: { type: 'string', default: '1000000' },
      seconds: { type: 'string', default: '120' },
    },
  });
  const size = { detections: Number(values.detections), seconds: Number(values.seconds) };
  const bench = BENCHES[positionals[0] ?? ''];
  if (bench === undefined || positionals.length !== 1 || !(size.detections >= 1_000 && size.seconds >= 1)) {
    process.stderr.write(`${USAGE}\n`);
    return 2;
  }
  const figures = await bench((text) => process.stderr.write(`${text}\n`), size);
  if (values.json === true) console.log(JSON.stringify(figures));
  else for (const line of linesOf(figures)) console.log(line);
  return 0;
}

/** A table for a person: a line for each figure, those within others by their path. */
function linesOf(figures: object, prefix = ''): string[] {
  return Object.entries(figures).flatMap(([name, value]: [string, unknown]) => {
    const flat = typeof value !== 'object' || value === null || Object.values(value).every(Number.isFinite);
    if (!flat) return linesOf(value, `${prefix}${name} `);
    const text = typeof value === 'object' && value !== null ? pairs(value) : String(value);
    return [`${(prefix + name).padEnd(28)} ${text}`];
  });
}

const pairs = (value: object): string =>
  Object.entries(value)
    .map(([name, figure]) => `${name} ${String(figure)}`)
    .join('  ');

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`bench: ${messageOf(error)}\n${error instanceof TypeError ? `${USAGE}\n` : ''}`);
  process.exitCode = 1;
}
