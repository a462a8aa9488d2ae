import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import type { VideoOpened } from '#libs/contracts/facts.js';
import { Spool } from '../../apps/monitor/src/outbox/spool.js';
import { House } from '../chaos/house.js';
import { madeDetection } from '../chaos/made-detection.js';

/** Findings that are stored in each round, and rounds. */
const [FINDINGS, ROUNDS] = [30_000, 3];
const STREAMS = 20;
/** Rows of one statement of the peer: the most that the ingest takes at once. */
const BATCH = 2_000;

/** Figures of one run, rows a second. */
export interface IngestFigures {
  /** From the spool on the disk to the committed row with its alerts, all in processes of their own. */
  detectionsPerSecond: number;
  /** The same rows by plain multi-row inserts into an empty copy of the table with its indexes and nothing else. */
  bareInsertPerSecond: number;
  ratioToBare: number;
  /** As the first, when the findings are of ten thousand rules instead of fifty. */
  manyRulesPerSecond: number;
}

/** Drains a full spool through Redis and the api into Postgres, in turns with the bare insert of as many rows. */
export async function benchIngest(progress: (text: string) => void): Promise<IngestFigures> {
  const house = await House.open();
  try {
    const streamIds = await house.streams(STREAMS);
    const rounds: [number, number][] = [];
    // The first round warms both up.
    for (let round = 0; round <= ROUNDS; round += 1) {
      const few = await drain(house, 50);
      const bare = await insertBare(house.postgres.url, made(streamIds, 50));
      progress(`round ${String(round)}: ${[few, bare].map(Math.round).join(', ')}`);
      if (round > 0) rounds.push([few, bare]);
    }
    const [few = 0, bare = 0] = [0, 1].map((index) => median(rounds.map((figures) => figures[index] ?? 0)));
    // At the end: each leaves as many alerts as findings behind.
    const manyRounds: number[] = [];
    for (let round = 1; round <= ROUNDS; round += 1) manyRounds.push(await drain(house, 10_000));
    progress(`ten thousand rules: ${manyRounds.map(Math.round).join(', ')}`);
    const many = median(manyRounds);
    return {
      detectionsPerSecond: Math.round(few),
      bareInsertPerSecond: Math.round(bare),
      ratioToBare: Math.round((few / bare) * 1_000) / 1_000,
      manyRulesPerSecond: Math.round(many),
    };
  } finally {
    await house.close();
  }
}

const made = (streamIds: readonly string[], rules: number): VideoOpened[] =>
  Array.from({ length: FINDINGS }, () => madeDetection(streamIds, rules));

/** @returns rows a second, of streams that had none. */
async function drain(house: House, rules: number): Promise<number> {
  const streamIds = await house.streams(STREAMS);
  const spoolDir = await mkdtemp(join(house.folder, 'spool-'));
  const spool = await Spool.open({ directory: spoolDir, maxBytes: 2 ** 30 });
  const facts = made(streamIds, rules);
  for (let at = 0; at < facts.length; at += 10_000) {
    await Promise.all(facts.slice(at, at + 10_000).map((fact) => spool.append(fact)));
  }
  await spool.close();
  const generator = await house.generator({ streamIds, spoolDir });
  await generator.drained(120_000);
  await generator.process.stop();
  const { stored } = await house.reckon([generator]);
  if (stored !== FINDINGS) throw new Error(`${stored} of ${FINDINGS} were stored`);
  return house.storedPerSecond(streamIds);
}

/** @returns rows a second of multi-row inserts, a transaction each. */
async function insertBare(url: string, facts: readonly VideoOpened[]): Promise<number> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query('DROP TABLE IF EXISTS bare; CREATE TABLE bare (LIKE detections INCLUDING ALL)');
    const startedAt = performance.now();
    for (let at = 0; at < facts.length; at += BATCH) {
      const rows = facts.slice(at, at + BATCH).map(valuesOf);
      const width = rows[0]?.length ?? 0;
      const places = rows.map((row, index) => `(${row.map((_, column) => `$${index * width + column + 1}`).join()})`);
      await client.query(
        `INSERT INTO bare (id, stream_id, session, kind, rule_id, rule_version, label, severity, confidence, objects,
           frame_width, frame_height, evidence_key, clip_key, detector, model, detail, started_at, detected_at, pts_ms)
         VALUES ${places.join()}`,
        rows.flat(),
      );
    }
    const seconds = (performance.now() - startedAt) / 1_000;
    await client.query('DROP TABLE bare');
    return facts.length / seconds;
  } finally {
    await client.end();
  }
}

const valuesOf = (fact: VideoOpened): unknown[] => [
  ...[fact.eventId, fact.streamId, fact.session, fact.kind, fact.ruleId, fact.ruleVersion, fact.label, fact.severity],
  ...[
    fact.confidence,
    JSON.stringify(fact.objects),
    fact.frame.width,
    fact.frame.height,
    fact.evidenceKey,
    fact.clipKey,
  ],
  ...[fact.detector, fact.model, fact.detail, new Date(fact.startedAt), new Date(fact.detectedAt), fact.ptsMs],
];

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
