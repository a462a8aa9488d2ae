import pg from 'pg';
import { DataSource, type Logger } from 'typeorm';
import { z } from 'zod';
import { seedDatabase } from '#tools/seed/seed-database.js';
import { API_SETTINGS, type ApiSettings } from '../../apps/api/src/runtime.module.js';
import { TestApi } from '../../apps/api/src/test-api.fixture.js';
import { subjectsOf } from './api.js';
import { requestsFor, type BenchRequest } from './api-requests.js';
import { Reader } from './open-loop.js';

/** Enough that the planner would rather not read a table from end to end. */
const DETECTIONS = 120_000;
/** Tables that grow without end. */
const BIG = ['detections', 'transcripts', 'notifications', 'audit_entries', 'detection_hours'];

type Statement = [sql: string, parameters: unknown[] | undefined];

/** Notes every statement that is sent. */
class Notes implements Logger {
  sent: Statement[] = [];
  logQuery(sql: string, parameters?: unknown[]): void {
    this.sent.push([sql, parameters]);
  }
  logQueryError(): void {}
  logQuerySlow(): void {}
  logSchemaBuild(): void {}
  logMigration(): void {}
  log(): void {}
}

describe('lists and filters', () => {
  let api: TestApi;
  let client: pg.Client;
  let reader: Reader;
  let dataSource: DataSource;
  let requests: BenchRequest[];
  /** Rows of the big tables. */
  let sizes: ReadonlyMap<string, number>;
  let tokens: Record<'admin' | 'agent', string>;

  beforeAll(async () => {
    api = await TestApi.start();
    const url = api.app.get<ApiSettings>(API_SETTINGS, { strict: false }).DATABASE_URL;
    const amounts = { detections: DETECTIONS, streams: 50, agents: 20, days: 30, seed: 1 };
    await seedDatabase(url, { ...amounts, now: new Date(), say: () => undefined });
    dataSource = api.app.get(DataSource);
    client = new pg.Client({ connectionString: url });
    await client.connect();
    const admin = await api.user('boss', 'admin');
    const { rows } = await client.query<{ id: string }>(`SELECT id FROM users WHERE username = 'seed-agent-001'`);
    tokens = { admin: await api.token(admin), agent: await api.token(rows[0]?.id ?? '') };
    reader = new Reader(api.url);
    requests = requestsFor(await subjectsOf(client, reader, tokens));
    const { rows: tables } = await client.query<{ name: string; rows: number }>(
      'SELECT relname AS name, reltuples::integer AS rows FROM pg_class WHERE relname = ANY($1)',
      [BIG],
    );
    sizes = new Map(tables.map((table) => [table.name, table.rows]));
  }, 180_000);

  afterAll(async () => {
    reader.close();
    await client.end();
    await api.close();
  });

  it('never read a big table from end to end, nor count rows off', async () => {
    const notes = new Notes();
    const faults: string[] = [];
    const usual = dataSource.logger;
    for (const { name, path, asker } of requests) {
      notes.sent = [];
      dataSource.logger = notes;
      await reader.get(path, tokens[asker]);
      dataSource.logger = usual;
      const selects = notes.sent.filter(([sql]) => /^\s*(SELECT|WITH)\b/i.test(sql));
      expect({ name, sent: selects.length > 0 }).toEqual({ name, sent: true });
      for (const [sql, parameters] of selects) {
        if (/\bOFFSET\b/i.test(sql)) faults.push(`${name}: OFFSET in ${sql}`);
        if (KNOWN.includes(name)) continue;
        for (const fault of faultsOf(await planOf(sql, parameters))) faults.push(`${name}: ${fault} in ${sql}`);
      }
    }
    expect(faults).toEqual([]);
  }, 120_000);

  it.each([
    [
      'an index walked for nothing',
      'SELECT * FROM detections WHERE confidence > 2 ORDER BY seq DESC LIMIT 51',
      / for 0$/,
    ],
    [
      'an index walked to its end',
      'SELECT count(*) FROM notifications WHERE seq > 0 AND user_id IS NOT NULL',
      /which has/,
    ],
    ['a table read from end to end', 'SELECT count(*) FROM transcripts', /^all of transcripts/],
    [
      'rows looked up one by one',
      'SELECT count(d.frames) FROM (SELECT * FROM verdicts LIMIT 1000) v JOIN detections d ON d.id = v.detection_id',
      /one by one/,
    ],
    [
      'pairs compared in vain',
      'SELECT count(*) FROM generate_series(1, 200) a JOIN generate_series(1, 200) b ON a.a + b.b = 0',
      /in vain/,
    ],
  ])('would be caught: %s', async (_name, sql, fault) => {
    expect(faultsOf(await planOf(sql, []))).toContainEqual(expect.stringMatching(fault));
  });

  it('count the same as the rows themselves do', async () => {
    const { rows } = await client.query(
      `WITH counted AS (
         SELECT v.dimension, g.stream_id, date_trunc('hour', d.detected_at, 'UTC') AS hour, v.key, count(*)::int AS count
         FROM detections d
         CROSS JOIN LATERAL (VALUES ('kind', d.kind), ('severity', d.severity), ('label', lower(d.label)),
           ('stream', d.stream_id::text), ('verdict', coalesce(d.verdict, 'none'))) AS v (dimension, key)
         CROSS JOIN LATERAL (VALUES (d.stream_id), ('00000000-0000-0000-0000-000000000000'::uuid)) AS g (stream_id)
         GROUP BY 1, 2, 3, 4
       ), kept AS (SELECT dimension, stream_id, hour, key, count FROM detection_hours WHERE count <> 0)
       (SELECT * FROM counted EXCEPT SELECT * FROM kept) UNION ALL (SELECT * FROM kept EXCEPT SELECT * FROM counted)`,
    );
    expect(rows).toEqual([]);
  }, 60_000);

  it('keep counting when a verdict changes and when a stream goes', async () => {
    const noted = async (): Promise<unknown[]> =>
      (
        await client.query<{ kept: number; real: number }>(
          `SELECT (SELECT sum(count)::int FROM detection_hours
              WHERE dimension = 'verdict' AND key = 'unsure' AND stream_id = '00000000-0000-0000-0000-000000000000') AS kept,
            (SELECT count(*)::int FROM detections WHERE verdict = 'unsure') AS real`,
        )
      ).rows.map(({ kept, real }) => [kept === real, kept > 0]);
    await client.query(
      `UPDATE detections SET verdict = 'unsure' WHERE id IN (SELECT id FROM detections ORDER BY seq LIMIT 500)`,
    );
    expect(await noted()).toEqual([[true, true]]);
    await client.query(`DELETE FROM streams WHERE name = 'Seeded stream 0040'`);
    expect(await noted()).toEqual([[true, true]]);
  }, 60_000);

  async function planOf(sql: string, parameters: unknown[] | undefined): Promise<Plan> {
    const explain = `EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) ${sql}`;
    const rows = await dataSource.query<{ 'QUERY PLAN': unknown }[]>(explain, parameters);
    return z.tuple([z.object({ Plan })]).parse(rows[0]?.['QUERY PLAN'])[0].Plan;
  }

  /** What is wrong with how big tables are read. */
  function faultsOf(plan: Plan): string[] {
    return [...faultsOfStep(plan, sizes), ...plan.Plans.flatMap(faultsOf)];
  }
});

/** A step of a plan that was run, as far as it matters here. Rows are for each loop. */
const Plan = z.object({
  'Node Type': z.string(),
  'Relation Name': z.string().optional(),
  'Actual Rows': z.number(),
  'Actual Loops': z.number(),
  'Rows Removed by Filter': z.number().default(0),
  'Rows Removed by Index Recheck': z.number().default(0),
  'Rows Removed by Join Filter': z.number().default(0),
  get Plans() {
    return z.array(Plan).default([]);
  },
});
type Plan = z.infer<typeof Plan>;

/** What a list may read however little comes of it; a part of a table that reads like all of it. */
const [FEW_ROWS, MOST_OF] = [2_000, 0.5];
/** Rows of the newest stretch that a search looks at before all others, and the part of a table that may be sifted. */
const [STRETCH, SIFTABLE] = [16_384, 0.2];
/** Walks that are known and still to be mended: the trail is walked from its newest entry down to the instant. */
const KNOWN = ['/api/logs?to={weeksAgo}'];
/** Rows that are read for each that is of use, and rows that are looked up one by one: pages have 201 at most. */
const [SIFTED, LOOKUPS] = [20, 300];

/** @param sizes rows of the big tables */
function faultsOfStep(plan: Plan, sizes: ReadonlyMap<string, number>): string[] {
  const { 'Node Type': node, 'Relation Name': table = '', 'Actual Rows': rows, 'Actual Loops': loops } = plan;
  const wasted = plan['Rows Removed by Join Filter'] * loops;
  if (wasted > FEW_ROWS) return [`${String(wasted)} pairs compared in vain`];
  const size = sizes.get(table);
  if (size === undefined) return [];
  const useful = rows * loops;
  const sifted = table === 'transcripts' ? STRETCH : Math.max(FEW_ROWS, size * SIFTABLE);
  const read = useful + (plan['Rows Removed by Filter'] + plan['Rows Removed by Index Recheck']) * loops;
  return [
    ...(node === 'Seq Scan' ? [`all of ${table}`] : []),
    ...(read > size * MOST_OF && read > (table === 'transcripts' ? STRETCH : FEW_ROWS)
      ? [`${String(read)} rows of ${table}, which has ${String(size)}`]
      : []),
    ...(read > sifted && read > useful * SIFTED ? [`${String(read)} rows of ${table} for ${String(useful)}`] : []),
    ...(loops > LOOKUPS ? [`${String(loops)} rows of ${table} looked up one by one`] : []),
  ];
}
