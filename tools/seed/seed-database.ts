import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { createLogger } from '#libs/observability/logger.js';
import { openDatabase } from '../../apps/api/src/database/open-database.js';
import { PasswordHasher } from '../../apps/api/src/users/password-hasher.js';
import {
  AGENTS,
  ASSIGNMENTS,
  AUDIT_ENTRIES,
  COUNT_LATER,
  DETECTION_HOURS,
  DETECTIONS,
  functionsOf,
  GROWN,
  NOTIFICATIONS,
  SORTED_INDEXES,
  STREAMS,
  TRANSCRIPTS,
} from './statements.js';

/** Rows of one statement. */
const CHUNK = 50_000;

/** What to make. */
export interface SeedOptions {
  detections: number;
  streams: number;
  agents: number;
  /** The rows are spread over so many days before {@link now}. */
  days: number;
  /** What the rows follow from. */
  seed: number;
  now: Date;
  say: (text: string) => void;
}

/** What was made. */
export interface SeedResult {
  detections: number;
  transcripts: number;
  notifications: number;
  auditEntries: number;
  streams: number;
  agents: number;
  /** Password of the seeded agents `seed-agent-001` and so on. */
  agentPassword: string;
  seconds: number;
}

/**
 * Adds made-up rows to a database, whose schema is brought up to date first: findings of the three kinds with verdicts,
 * a fourth as many transcripts, notifications of the newest tenth, a twentieth as many entries of the audit trail.
 * Streams are not watched, evidence there is none.
 * @throws AppError `database.unreachable`.
 */
export async function seedDatabase(url: string, options: SeedOptions): Promise<SeedResult> {
  const startedAt = performance.now();
  await (await openDatabase(url, createLogger('seed', 'silent'))).destroy();
  const [client, other] = [new pg.Client({ connectionString: url }), new pg.Client({ connectionString: url })];
  try {
    for (const one of [client, other]) {
      await one.connect();
      // What is lost with the last moments before a power cut can be seeded again.
      await one.query(
        `SET synchronous_commit = off; SET work_mem = '128MB'; SET maintenance_work_mem = '256MB'; ${functionsOf(options.seed)}`,
      );
    }
    const agentPassword = randomBytes(12).toString('base64url');
    const ids = await addTeam(client, options, agentPassword);
    const made = await addRows(client, other, ids, options);
    options.say('counting what there is for the planner …');
    for (const table of GROWN) await client.query(`VACUUM (ANALYZE) ${table}`);
    const seconds = Math.round((performance.now() - startedAt) / 100) / 10;
    return { ...made, streams: ids.streams.length, agents: ids.agents.length, agentPassword, seconds };
  } finally {
    await Promise.all([client.end(), other.end()]);
  }
}

interface Team {
  streams: string[];
  agents: string[];
}

async function addTeam(client: pg.Client, { streams, agents }: SeedOptions, password: string): Promise<Team> {
  await client.query(STREAMS, [streams]);
  await client.query(AGENTS, [agents, await new PasswordHasher().hash(password)]);
  const idsOf = async (table: string, column: string, prefix: string, limit: number): Promise<string[]> => {
    const { rows } = await client.query<{ id: string }>(
      `SELECT id FROM ${table} WHERE starts_with(${column}, $1) ORDER BY ${column} LIMIT $2`,
      [prefix, limit],
    );
    return rows.map(({ id }) => id);
  };
  const team = {
    streams: await idsOf('streams', 'name', 'Seeded stream ', streams),
    agents: await idsOf('users', 'username', 'seed-agent-', agents),
  };
  await client.query(ASSIGNMENTS, [team.streams, team.agents]);
  return team;
}

type Made = Pick<SeedResult, 'detections' | 'transcripts' | 'notifications' | 'auditEntries'>;

/** Detections and what is told of them over the one connection, what has nothing to do with them over the other. */
async function addRows(client: pg.Client, other: pg.Client, team: Team, options: SeedOptions): Promise<Made> {
  const { rows } = await client.query<{ last: string }>(
    `SELECT greatest((SELECT coalesce(max(seq), 0) FROM detections), (SELECT coalesce(max(seq), 0) FROM transcripts))
       AS last`,
  );
  const first = Number(rows[0]?.last ?? 0) + 1;
  const last = first + options.detections - 1;
  const add = async (to: pg.Client, what: string, statement: string, from: number): Promise<number> => {
    let added = 0;
    for (let at = from; at <= last; at += CHUNK) {
      const end = Math.min(at + CHUNK - 1, last);
      const base = [at, end, team.streams, team.agents, from, last - from + 1, options.now, options.days];
      const result = await to.query<{ count?: number }>(statement, base);
      added += result.rows[0]?.count ?? result.rowCount ?? 0;
      options.say(`${what}: ${added} rows`);
    }
    return added;
  };
  const share = (part: number): number => last - Math.ceil(options.detections * part) + 1;
  const found = async (): Promise<Pick<Made, 'detections' | 'notifications'>> => {
    await client.query(`BEGIN; ${COUNT_LATER}`);
    const seqs = await client.query<{ last: string }>('SELECT coalesce(max(seq), 0) AS last FROM detections');
    const before = Number(seqs.rows[0]?.last ?? 0);
    const indexes = before < options.detections ? await dropIndexes(client) : [];
    const detections = await add(client, 'detections', DETECTIONS, first);
    options.say('counting them by hour and sorting their indexes …');
    await client.query(DETECTION_HOURS, [team.streams, before + 1]);
    for (const index of indexes) await client.query(index);
    await client.query('COMMIT');
    return { detections, notifications: await add(client, 'notifications', NOTIFICATIONS, share(0.1)) };
  };
  const said = async (): Promise<Pick<Made, 'transcripts' | 'auditEntries'>> => ({
    transcripts: await add(other, 'transcripts', TRANSCRIPTS, share(0.25)),
    auditEntries: await add(other, 'entries of the audit trail', AUDIT_ENTRIES, share(0.05)),
  });
  const [some, rest] = await Promise.all([found(), said()]);
  return { ...some, ...rest };
}

/**
 * Takes the indexes of detections away that only make lists quick; the transaction brings them back, or gives them up
 * with all else. Sorting very many rows once takes a fraction of the time of finding a place for each.
 * @returns statements that make them anew
 */
async function dropIndexes(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string; definition: string }>(SORTED_INDEXES);
  for (const { name } of rows) await client.query(`DROP INDEX ${name}`);
  return rows.map(({ definition }) => definition);
}
