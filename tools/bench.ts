import { parseArgs } from 'node:util';
import { messageOf } from '#libs/errors/app-error.js';
import { benchApi } from '../test/bench/api.js';
import { benchIngest } from '../test/bench/ingest.js';
import { benchLatency } from '../test/bench/latency.js';
import { benchPartitions } from '../test/bench/partitions.js';
import { benchPhrases } from '../test/bench/phrases.js';
import { benchRetention } from '../test/bench/retention.js';
import { benchSockets } from '../test/bench/sockets.js';
import { benchVideo } from '../test/bench/video.js';
import { writeSummary, type SummaryRow } from './bench/summary.js';

/** What the command line says about how large a run is. */
interface Size {
  /** For `api`, `retention` and `partitions`. */
  detections: number;
  seconds: number;
  /** For `sockets`. */
  clients: number;
}

/** A bench, with the row that its figures make in the table of all. */
interface Bench {
  run: (progress: (text: string) => void, size: Size) => Promise<{ figures: object; row: Omit<SummaryRow, 'name'> }>;
}

const bench = <Figures extends object>(
  run: (progress: (text: string) => void, size: Size) => Promise<Figures>,
  row: (figures: Figures) => Omit<SummaryRow, 'name'>,
): Bench => ({
  run: async (progress, size) => {
    const figures = await run(progress, size);
    return { figures, row: row(figures) };
  },
});

/** Every bench, in the order in which all are run. */
const BENCHES: Readonly<Record<string, Bench>> = {
  video: bench(benchVideo, (of) => ({
    figure: `${of.streamSecondsPerCpuSecond} stream-seconds a CPU second`,
    limit: `${of.limit}: the same ffmpeg and bare inferences (ratio ${of.ratioToLimit})`,
    peer: `${of.peerFullDecode}: full decode (${of.ratioToPeer} times)`,
  })),
  latency: bench(benchLatency, (of) => ({
    figure: `${of.p95} ms p95, air to client`,
    limit: `${of.floor} ms: HLS at worst (ratio ${of.ratioToFloor})`,
    peer: `${of.firstSightP95} ms from the first sight`,
  })),
  phrases: bench(benchPhrases, (of) => ({
    figure: `${of.messagesPerSecond} messages a second`,
    limit: `${of.peers.bareAutomaton}: a bare automaton (ratio ${of.ratioToBareAutomaton})`,
    peer: `${of.peers.includes}: \`includes\` in a loop (${of.ratioToIncludes} times)`,
  })),
  ingest: bench(benchIngest, (of) => ({
    figure: `${of.detectionsPerSecond} detections a second, spool to row`,
    limit: `${of.bareInsertPerSecond}: bare multi-row insert (ratio ${of.ratioToBare})`,
    peer: `${of.manyRulesPerSecond} with ten thousand rules`,
  })),
  api: bench(benchApi, (of) => ({
    figure: `${of.endpoints['/api/detections']?.p95 ?? of.slowest.p95} ms p95`,
    limit: `${of.rawSqlP95} ms: the bare statement (ratio ${of.ratioToRawSql})`,
    peer: `${of.slowest.p95} ms: ${of.slowest.name}, the slowest`,
  })),
  sockets: bench(benchSockets, (of) => ({
    figure: `${of.fanoutP99Ms} ms p99 to every client`,
    limit: `${of.bare.fanoutP99Ms} ms: a bare Socket.IO server (ratio ${of.ratioToBare})`,
    peer: '',
  })),
  retention: bench(benchRetention, (of) => ({
    figure: `${of.removedPerSecond} rows removed a second beside ${of.ingest.perSecond} stored`,
    limit: `${of.longestLockWaitMs} ms: longest wait for a lock`,
    peer: '',
  })),
  partitions: bench(benchPartitions, (of) => ({
    figure: `${of.removal.plain.ms} ms: a month of ${of.removal.plain.rows} rows deleted`,
    limit: `${of.removal.parted.ms} ms: its partition dropped`,
    peer: `${of.insertBehindReaderMs.parted} ms: an insert behind that and a slow reader`,
  })),
};

const USAGE = `usage: npm run --silent bench -- [${Object.keys(BENCHES).join('|')}] [--json]
  without a name: all of them, and the table in docs/benchmarks.md
  api: [--detections 1000000] [--seconds 120]
  sockets: [--clients 10000]
  retention, partitions: [--detections 1000000]`;

/** Runs one bench, or all; progress goes to stderr, the figures to stdout. */
async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      json: { type: 'boolean' },
      detections: { type: 'string', default: '1000000' },
      seconds: { type: 'string', default: '120' },
      clients: { type: 'string', default: '10000' },
    },
  });
  const { detections, seconds, clients } = values;
  const size = { detections: Number(detections), seconds: Number(seconds), clients: Number(clients) };
  const isSane = size.detections >= 1_000 && size.seconds >= 1 && size.clients >= 1;
  const names = positionals.length === 0 ? Object.keys(BENCHES) : positionals;
  const unknown = names.some((name) => BENCHES[name] === undefined);
  if (unknown || positionals.length > 1 || !isSane) {
    process.stderr.write(`${USAGE}\n`);
    return 2;
  }
  const progress = (text: string): void => void process.stderr.write(`${text}\n`);
  const all: Record<string, object> = {};
  const rows: SummaryRow[] = [];
  for (const name of names) {
    if (names.length > 1) progress(`${name} …`);
    const outcome = await BENCHES[name]?.run(progress, size);
    if (outcome === undefined) continue;
    all[name] = outcome.figures;
    rows.push({ name, ...outcome.row });
  }
  const figures = positionals.length === 0 ? all : (all[names[0] ?? ''] ?? {});
  if (positionals.length === 0) await writeSummary(rows);
  if (values.json === true) console.log(JSON.stringify(figures));
  else if (positionals.length === 0) {
    for (const { name, figure, limit, peer } of rows) console.log(`${name.padEnd(8)} ${figure} | ${limit} | ${peer}`);
  } else for (const line of linesOf(figures)) console.log(line);
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
