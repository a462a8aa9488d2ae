import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { repositoryRoot } from '#libs/config/environment.js';
import { seedDatabase } from '#tools/seed/seed-database.js';
import { startPostgres } from '#tools/services/postgres.js';
import { ProcessGroup } from '#tools/services/process-group.js';

const MONTHS = 12;
/** Rows of one insert, as the ingest takes them; inserts of each table; rows of one delete; pages asked for. */
const [BATCH, INSERTS, DELETED_AT_ONCE, ASKED] = [500, 40, 1_000, 200];
/** How long a reader keeps a transaction open, ms. */
const SLOW_READER_MS = 1_000;
/** By what it is partitioned: when a fact is stored differs between it and its double, when it was detected does not. */
const MONTH_OF = 'detected_at';
const TABLES = ['plain', 'parted'] as const;
type Table = (typeof TABLES)[number];

/** The same of both tables. */
type Both<T> = Record<Table, T>;

/** What a run came to; both tables have the columns, rows and indexes of `detections`, and none of its triggers. */
export interface PartitionFigures {
  detections: number;
  /** With the key that absorbs doubles. */
  insertedPerSecond: Both<number>;
  /** Rows of a batch that came twice and were absorbed, of 500. */
  doublesAbsorbed: Both<number>;
  /** Time of a statement, p95, ms; pages of 8 KiB that it touches. */
  reads: Record<string, Both<{ p95Ms: number; pages: number }>>;
  /** The oldest month: by deletes of 1,000 rows, and by dropping its partition. */
  removal: Both<{ rows: number; ms: number; walKb: number }>;
  /** How long an insert waits when the removal comes while a reader's transaction of a second is open, ms. */
  insertBehindReaderMs: Both<number>;
}

/** Fills a Postgres of its own, copies the detections into a plain and a partitioned table, and asks both the same in turns. */
export async function benchPartitions(
  progress: (text: string) => void,
  { detections }: { detections: number },
): Promise<PartitionFigures> {
  const stateDir = join(repositoryRoot, '.vigil', 'bench-partitions');
  await rm(stateDir, { recursive: true, force: true });
  const group = new ProcessGroup(progress);
  try {
    const { url } = await group.add('postgres', () =>
      startPostgres({ dir: join(stateDir, 'postgres'), throwaway: true, say: progress }),
    );
    const options = { detections, streams: 50, agents: 5, days: MONTHS * 30, seed: 1, now: new Date(), say: progress };
    await seedDatabase(url, options);
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      return await new Comparison(client, url, progress).run(detections);
    } finally {
      await client.end();
    }
  } finally {
    await group.stop();
    await rm(stateDir, { recursive: true, force: true });
  }
}

class Comparison {
  private columns = '';

  constructor(
    private readonly client: pg.Client,
    private readonly url: string,
    private readonly progress: (text: string) => void,
  ) {}

  async run(detections: number): Promise<PartitionFigures> {
    await this.prepare();
    const { rows } = await this.client.query<{ id: string; stream: string; label: string; middle: string }>(
      `SELECT id, stream_id AS stream, lower(label) AS label, (SELECT max(seq) / 2 FROM plain) AS middle
       FROM plain ORDER BY seq DESC OFFSET 1000 LIMIT 1`,
    );
    const { id = '', stream = '', label = '', middle = '0' } = rows[0] ?? {};
    const page = (where: string): string => `SELECT * FROM TABLE_ WHERE ${where} ORDER BY seq DESC LIMIT 51`;
    const reads: Record<string, [string, unknown[]]> = {
      'newest page': [page('true'), []],
      'page in the middle': [page('seq < $1'), [middle]],
      'page of a stream': [page('stream_id = $1'), [stream]],
      'page of a label': [page('lower(label) = $1'), [label]],
      'one by id': ['SELECT * FROM TABLE_ WHERE id = $1', [id]],
    };
    const told: PartitionFigures['reads'] = {};
    for (const [name, [sql, values]] of Object.entries(reads)) told[name] = await this.ask(sql, values);
    this.progress('inserting');
    const [insertedPerSecond, doublesAbsorbed] = [await this.insert(), await this.double()];
    this.progress('removing the oldest month');
    const insertBehindReaderMs = {
      plain: await this.behindReader(
        'plain',
        'DELETE FROM plain WHERE seq IN (SELECT seq FROM plain ORDER BY seq LIMIT 10)',
      ),
      parted: await this.behindReader('parted', 'DROP TABLE parted_1'),
    };
    const { rows: month } = await this.client.query<{ last: string }>('SELECT max(seq) AS last FROM parted_1');
    const last = month[0]?.last ?? '0';
    const removal = { plain: await this.remove('plain', last), parted: await this.remove('parted', last) };
    return { detections, insertedPerSecond, doublesAbsorbed, reads: told, removal, insertBehindReaderMs };
  }

  /** Makes both tables with the indexes of `detections`; a unique one must contain what the table is partitioned by. */
  private async prepare(): Promise<void> {
    const { client } = this;
    this.progress('copying into a plain and a partitioned table');
    const names = await client.query<{ name: string }>(
      `SELECT attname AS name FROM pg_attribute
       WHERE attrelid = 'detections'::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = '' ORDER BY attnum`,
    );
    this.columns = names.rows.map(({ name }) => name).join(', ');
    await client.query(`CREATE TABLE plain (LIKE detections INCLUDING DEFAULTS)`);
    await client.query(`CREATE TABLE parted (LIKE detections INCLUDING DEFAULTS) PARTITION BY RANGE (${MONTH_OF})`);
    // One more than there are months: what is inserted later is of now.
    for (let month = 1; month <= MONTHS + 1; month += 1) {
      const bound = (number: number): string =>
        number === 1 ? 'MINVALUE' : `'${new Date(Date.now() - (MONTHS + 1 - number) * 30 * 86_400_000).toISOString()}'`;
      const upper = month === MONTHS + 1 ? 'MAXVALUE' : bound(month + 1);
      await client.query(
        `CREATE TABLE parted_${month} PARTITION OF parted FOR VALUES FROM (${bound(month)}) TO (${upper})`,
      );
    }
    const indexes = await client.query<{ sql: string; unique: boolean }>(
      `SELECT pg_get_indexdef(indexrelid) AS sql, indisunique AS unique
       FROM pg_index WHERE indrelid = 'detections'::regclass`,
    );
    for (const table of TABLES) {
      for (const { sql, unique } of indexes.rows) {
        const own = sql.replace(/INDEX \S+ ON \S+/, `INDEX ON ${table}`);
        await client.query(unique && table === 'parted' ? own.replace(/\)$/, `, ${MONTH_OF})`) : own);
      }
      await client.query(`INSERT INTO ${table} (${this.columns}) SELECT ${this.columns} FROM detections ORDER BY seq`);
      await client.query(`VACUUM (ANALYZE) ${table}`);
    }
    await client.query(`CREATE SEQUENCE later START 1000000000`);
  }

  /** Asks both tables in turns. */
  private async ask(sql: string, values: unknown[]): Promise<Both<{ p95Ms: number; pages: number }>> {
    const times: Both<number[]> = { plain: [], parted: [] };
    for (let count = 0; count < ASKED; count += 1) {
      for (const table of TABLES) {
        const startedAt = performance.now();
        await this.client.query({ name: `${table} ${sql}`.slice(0, 60), text: sql.replace('TABLE_', table), values });
        times[table].push(performance.now() - startedAt);
      }
    }
    const of = async (table: Table): Promise<{ p95Ms: number; pages: number }> => {
      const plan = await this.client.query<{ 'QUERY PLAN': unknown }>(
        `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ${sql.replace('TABLE_', table)}`,
        values,
      );
      const [{ Plan: top }] = plan.rows[0]?.['QUERY PLAN'] as [{ Plan: Record<string, number> }];
      const pages = (top['Shared Hit Blocks'] ?? 0) + (top['Shared Read Blocks'] ?? 0);
      const sorted = times[table].toSorted((a, b) => a - b);
      return { p95Ms: rounded(sorted[Math.floor(0.95 * (sorted.length - 1))] ?? 0), pages };
    };
    return { plain: await of('plain'), parted: await of('parted') };
  }

  /** Inserts new rows in batches, in turns. @returns rows a second. */
  private async insert(): Promise<Both<number>> {
    const spent: Both<number> = { plain: 0, parted: 0 };
    for (let count = 0; count < INSERTS; count += 1) {
      for (const table of count % 2 === 0 ? TABLES : TABLES.toReversed()) {
        const ids = Array.from({ length: BATCH }, () => crypto.randomUUID());
        const startedAt = performance.now();
        await this.insertBatch(table, ids, new Date());
        spent[table] += performance.now() - startedAt;
      }
    }
    const rate = (ms: number): number => Math.round((INSERTS * BATCH * 1_000) / ms);
    return { plain: rate(spent.plain), parted: rate(spent.parted) };
  }

  private async double(): Promise<Both<number>> {
    const absorbed = async (table: Table): Promise<number> => {
      const [ids, at] = [Array.from({ length: BATCH }, () => crypto.randomUUID()), new Date()];
      await this.insertBatch(table, ids, at);
      return BATCH - (await this.insertBatch(table, ids, at));
    };
    return { plain: await absorbed('plain'), parted: await absorbed('parted') };
  }

  /** Rows like those that are there, of now. @returns how many are new. */
  private async insertBatch(table: Table, ids: string[], at: Date, client = this.client): Promise<number> {
    const own: Record<string, string> = { id: 'n.id', seq: `nextval('later')`, [MONTH_OF]: '$2::timestamptz' };
    const values = this.columns.split(', ').map((column) => own[column] ?? `d.${column}`);
    const { rowCount } = await client.query(
      `INSERT INTO ${table} (${this.columns})
       SELECT ${values.join(', ')} FROM unnest($1::uuid[]) WITH ORDINALITY AS n (id, i)
       JOIN (SELECT *, row_number() OVER () AS i FROM (SELECT * FROM detections ORDER BY seq DESC LIMIT ${BATCH}) l) d USING (i)
       ON CONFLICT (${table === 'plain' ? 'id' : `id, ${MONTH_OF}`}) DO NOTHING`,
      [ids, at],
    );
    return rowCount ?? 0;
  }

  /** How long an insert takes that comes after a removal that comes while a reader's transaction is open, ms. */
  private async behindReader(table: Table, removal: string): Promise<number> {
    const [reader, remover] = [this.url, this.url].map((connectionString) => new pg.Client({ connectionString }));
    if (reader === undefined || remover === undefined) return NaN;
    await Promise.all([reader.connect(), remover.connect()]);
    await reader.query('BEGIN');
    await reader.query(`SELECT count(*) FROM ${table} WHERE id = $1`, [crypto.randomUUID()]);
    // What it removes is put back: it is removed once more, and timed.
    const removing = remover.query('BEGIN').then(() => remover.query(removal));
    await new Promise((resolve) => setTimeout(resolve, 100));
    const reading = new Promise((resolve) => setTimeout(resolve, SLOW_READER_MS)).then(() => reader.query('COMMIT'));
    const ending = removing.then(() => remover.query('ROLLBACK'));
    const startedAt = performance.now();
    await this.insertBatch(table, [crypto.randomUUID()], new Date());
    const ms = performance.now() - startedAt;
    await Promise.all([reading, ending]);
    await Promise.all([reader.end(), remover.end()]);
    return Math.round(ms);
  }

  private async remove(table: Table, last: string): Promise<{ rows: number; ms: number; walKb: number }> {
    const count = async (): Promise<number> =>
      Number((await this.client.query<{ n: string }>(`SELECT count(*) AS n FROM ${table}`)).rows[0]?.n);
    const before = await count();
    const wal = await this.walNow();
    const startedAt = performance.now();
    if (table === 'parted') await this.client.query('DROP TABLE parted_1');
    else {
      for (let gone = 1; gone > 0;) {
        const { rowCount } = await this.client.query(
          `DELETE FROM plain WHERE seq IN (SELECT seq FROM plain WHERE seq <= $1 ORDER BY seq LIMIT ${DELETED_AT_ONCE})`,
          [last],
        );
        gone = rowCount ?? 0;
      }
    }
    const ms = Math.round(performance.now() - startedAt);
    const walKb = Math.round(((await this.walNow()) - wal) / 1024);
    return { rows: before - (await count()), ms, walKb };
  }

  private async walNow(): Promise<number> {
    const { rows } = await this.client.query<{ bytes: string }>(
      `SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn AS bytes`,
    );
    return Number(rows[0]?.bytes);
  }
}

const rounded = (ms: number): number => Math.round(ms * 100) / 100;
