import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { z } from 'zod';
import { repositoryRoot } from '#libs/config/environment.js';
import { seedDatabase } from '#tools/seed/seed-database.js';
import { runningPostgres } from '#tools/services/postgres.js';
import { ProcessGroup } from '#tools/services/process-group.js';
import { startStack } from '#tools/services/stack.js';
import { requestsFor, type Asker, type Subjects } from './api-requests.js';
import { openLoop, Reader, type Shot } from './open-loop.js';

/** Requests a second, all endpoints together. */
const RATE = 50;
const WARM_UP_SECONDS = 10;
const DAY_MS = 86_400_000;
/** The list that is held against bare SQL is asked for so often for each time another one is. */
const WEIGHT = 4;
const PLAIN_LIST = '/api/detections';
/** The statement behind {@link PLAIN_LIST} as the api sends it: a page and one row more. */
const RAW_SQL = `SELECT d.*, s.name AS stream_name FROM detections d INNER JOIN streams s ON s.id = d.stream_id
  ORDER BY d.seq DESC LIMIT 51`;

/** Times of one endpoint, ms. */
interface Quantiles {
  p50: number;
  p95: number;
  p99: number;
}

/** Figures of one run. */
interface ApiFigures {
  detections: number;
  requestsPerSecond: number;
  endpoints: Record<string, Quantiles>;
  /** The slowest endpoint by p95. */
  slowest: { name: string; p95: number };
  rawSqlP95: number;
  ratioToRawSql: number;
}

/** How large a run is. */
export interface ApiBenchOptions {
  detections: number;
  /** How long is measured, after the warm-up. */
  seconds: number;
}

/**
 * Asks every list and filter of the api, as an admin and as an agent, at 50 requests a second in all, with a million
 * detections in the database; api, monitor, Postgres and Redis are processes of their own with default settings. In the
 * same run the plain list's statement is sent straight through `pg`.
 */
export async function benchApi(
  progress: (text: string) => void,
  { detections, seconds }: ApiBenchOptions,
): Promise<ApiFigures> {
  const stateDir = join(repositoryRoot, '.vigil', 'bench-api');
  await rm(stateDir, { recursive: true, force: true });
  const group = new ProcessGroup(progress);
  try {
    const admin = { username: 'bench', password: randomBytes(12).toString('base64url') };
    const stack = await startStack(group, {
      ...{ stateDir, say: progress, throwaway: true },
      env: { DEFAULT_ADMIN_USERNAME: admin.username, DEFAULT_ADMIN_PASSWORD: admin.password, LOG_LEVEL: 'warn' },
    });
    const database = await runningPostgres(join(stateDir, 'postgres'));
    if (database === null) throw new Error('The database of the bench does not run.');
    const amounts = { detections, streams: 50, agents: 20, days: 30, seed: 1 };
    const seeded = await seedDatabase(database, { ...amounts, now: new Date(), say: progress });
    progress(`seeded in ${seeded.seconds} s`);
    const agent = { username: 'seed-agent-001', password: seeded.agentPassword };
    const tokens = { admin: await login(stack.apiUrl, admin), agent: await login(stack.apiUrl, agent) };
    return await measure(stack.apiUrl, database, tokens, { detections, seconds }, progress);
  } finally {
    await group.stop();
    await rm(stateDir, { recursive: true, force: true });
  }
}

/** Measures an api that runs. */
export async function measure(
  apiUrl: string,
  database: string,
  tokens: Readonly<Record<Asker, string>>,
  { detections, seconds }: ApiBenchOptions,
  progress: (text: string) => void,
): Promise<ApiFigures> {
  const reader = new Reader(apiUrl);
  const client = new pg.Client({ connectionString: database });
  await client.connect();
  try {
    const requests = requestsFor(await subjectsOf(client, reader, tokens));
    const shots: Shot[] = requests.map(
      ({ path, asker }) =>
        () =>
          reader.get(path, tokens[asker]).then(() => undefined),
    );
    const plain = requests.findIndex(({ name }) => name === PLAIN_LIST);
    const raw = (): Promise<void> => client.query(RAW_SQL).then(() => undefined);
    const plan = scheduleOf(shots, plain, raw);
    progress(`warming up for ${WARM_UP_SECONDS} s`);
    const rate = (RATE * plan.length) / (plan.length - WEIGHT);
    const all = plan.map(({ shot }) => shot);
    await openLoop(all, rate, Math.max(WARM_UP_SECONDS, (all.length * 1.5) / rate));
    progress(`measuring ${requests.length} requests in turns for ${seconds} s`);
    const times = await openLoop(all, rate, seconds);
    const of = (index: number): number[] => times.flatMap((some, at) => (plan[at]?.index === index ? some : []));
    const endpoints = Object.fromEntries(requests.map(({ name }, index) => [name, quantiles(of(index))]));
    const [slowest] = Object.entries(endpoints).sort(([, a], [, b]) => b.p95 - a.p95);
    const rawSqlP95 = quantiles(of(-1)).p95;
    return {
      detections,
      requestsPerSecond: RATE,
      endpoints,
      slowest: { name: slowest?.[0] ?? '', p95: slowest?.[1].p95 ?? NaN },
      rawSqlP95,
      ratioToRawSql: round((endpoints[PLAIN_LIST]?.p95 ?? NaN) / rawSqlP95),
    };
  } finally {
    reader.close();
    await client.end();
  }
}

/** Who comes when: all in turns, the plain list and the bare statement more often and evenly among them. */
function scheduleOf(shots: readonly Shot[], plain: number, raw: Shot): { index: number; shot: Shot }[] {
  const rest = shots.map((shot, index) => ({ shot, index })).filter(({ index }) => index !== plain);
  const plainShot = { index: plain, shot: shots[plain] ?? raw };
  const step = Math.ceil(rest.length / WEIGHT);
  return Array.from({ length: WEIGHT }, (_, turn) => [
    plainShot,
    ...rest.slice(turn * step, turn * step + Math.ceil(step / 2)),
    { index: -1, shot: raw },
    ...rest.slice(turn * step + Math.ceil(step / 2), (turn + 1) * step),
  ]).flat();
}

const Login = z.object({ accessToken: z.string() });
const Cursor = z.object({ nextCursor: z.string().nullable() });

async function login(apiUrl: string, account: { username: string; password: string }): Promise<string> {
  const response = await fetch(`${apiUrl}/api/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(account),
  });
  return Login.parse(await response.json()).accessToken;
}

/** What the requests are about, out of what was seeded; the streams and the notifications are the agent's. */
export async function subjectsOf(
  client: pg.Client,
  reader: Reader,
  tokens: Readonly<Record<Asker, string>>,
): Promise<Subjects> {
  const one = async (statement: string, parameters: unknown[] = []): Promise<string> => {
    const { rows } = await client.query<{ value: string }>(statement, parameters);
    if (rows[0] === undefined) throw new Error(`Nothing was seeded that answers ${statement}`);
    return rows[0].value;
  };
  const now = Date.now();
  const [weeksAgo, dayAgo, monthsAgo] = [14, 1, 90].map((days) => new Date(now - days * DAY_MS).toISOString());
  const agent = await one(`SELECT id AS value FROM users WHERE username = 'seed-agent-001'`);
  const stream = (order: string): Promise<string> =>
    one(
      `SELECT s.id AS value FROM streams s JOIN assignments a ON a.stream_id = s.id
       WHERE a.agent_id = $1 ORDER BY s.name ${order} LIMIT 1`,
      [agent],
    );
  const [busyStream, quietStream] = [await stream('ASC'), await stream('DESC')];
  const next = async (asker: Asker, path: string): Promise<string | null> =>
    Cursor.parse(JSON.parse(await reader.get(path, tokens[asker]))).nextCursor;
  const cursor = async (asker: Asker, path: string): Promise<string> => (await next(asker, path)) ?? '';
  let notifications = await cursor('agent', '/api/notifications');
  for (let page = 0; page < 10; page += 1) {
    notifications = (await next('agent', `/api/notifications?limit=200&cursor=${notifications}`)) ?? notifications;
  }
  return {
    ...{ busyStream, quietStream, agent },
    ...{ weeksAgo: weeksAgo ?? '', dayAgo: dayAgo ?? '', monthsAgo: monthsAgo ?? '' },
    detection: await one('SELECT d.id AS value FROM detections d WHERE d.stream_id = $1 LIMIT 1', [busyStream]),
    cursors: {
      detections: await cursor('admin', `/api/detections?to=${String(weeksAgo)}`),
      stream: await cursor('admin', `/api/streams/${busyStream}/detections?to=${String(weeksAgo)}`),
      transcripts: await cursor('admin', `/api/transcripts?q=river`),
      notifications,
      logs: await cursor('admin', '/api/logs'),
    },
  };
}

/** By the nearest rank. */
function quantiles(values: readonly number[]): Quantiles {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number => round(sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? NaN);
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99) };
}

const round = (value: number): number => Math.round(value * 100) / 100;
