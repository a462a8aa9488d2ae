import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import pg from 'pg';
import { connectRedis, type RedisConnection } from '#libs/bus/redis.js';
import { childEnvironment, repositoryRoot } from '#libs/config/environment.js';
import { createLogger } from '#libs/observability/logger.js';
import { startPostgres, type RunningPostgres } from '#tools/services/postgres.js';
import { freePort } from '#tools/services/preflight.js';
import { ManagedProcess } from '#tools/services/process.js';
import { startRedis, type RunningRedis } from '#tools/services/redis.js';
import { GeneratorReport, type GeneratorOrder } from './generator-order.js';

const MOST_SPOOL = 4 * 2 ** 30;
/** Pause before a process that was killed is started again, ms: what a supervisor takes at least. */
const REVIVE_MS = 200;

const entryOf = (...path: string[]): string => join(repositoryRoot, 'dist', ...path);

/** A real Postgres that keeps its promises, a real Redis that keeps a log, and the api, each a process to be killed. */
export class House {
  private readonly ends: (() => Promise<unknown>)[] = [];
  private readonly revivals = new Map<ManagedProcess, Promise<void>>();
  private closing = false;

  private constructor(
    readonly folder: string,
    readonly postgres: RunningPostgres,
    readonly redis: RunningRedis,
    readonly api: ManagedProcess,
    readonly apiUrl: string,
  ) {}

  /** @param env further variables for the api. */
  static async open(env: Readonly<Record<string, string>> = {}): Promise<House> {
    const folder = await mkdtemp(join(tmpdir(), 'vigil-chaos-'));
    const ends: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })];
    try {
      const postgres = await startPostgres({ dir: join(folder, 'postgres') });
      ends.push(() => postgres.stop());
      // So that it can be told when a row was committed, not only when its transaction began.
      await statement(postgres.url, 'ALTER SYSTEM SET track_commit_timestamp = on');
      await postgres.process.restart();
      const redis = await startRedis({ dir: join(folder, 'redis') });
      ends.push(() => redis.stop());
      const port = await freePort();
      const api = new ManagedProcess({
        ...{ name: 'api', command: process.execPath, args: [entryOf('apps', 'api', 'src', 'main.js')] },
        env: childEnvironment({
          ...{ NODE_ENV: 'production', NODE_OPTIONS: undefined, LOG_LEVEL: 'warn' },
          ...{ DATABASE_URL: postgres.url, REDIS_URL: redis.url, MAIN_APP_PORT: String(port) },
          EVIDENCE_URL: pathToFileURL(join(folder, 'evidence')).href,
          ...{ DEFAULT_ADMIN_USERNAME: 'admin', DEFAULT_ADMIN_PASSWORD: 'correct-horse-battery' },
          ...env,
        }),
        cwd: repositoryRoot,
        logFile: join(folder, 'api.log'),
        ready: { url: `http://127.0.0.1:${String(port)}/api/health/ready` },
      });
      ends.push(() => api.stop());
      await api.start();
      const house = new House(folder, postgres, redis, api, `http://127.0.0.1:${String(port)}`);
      house.ends.push(...ends);
      return house;
    } catch (error) {
      for (const end of ends.reverse()) await end().catch(() => undefined);
      throw error;
    }
  }

  /** Ends everything that was started. */
  async close(): Promise<void> {
    this.closing = true;
    await Promise.allSettled(this.revivals.values());
    for (const end of this.ends.reverse()) await end().catch(() => undefined);
  }

  /** Has something ended with the house. */
  own(end: () => Promise<unknown>): void {
    this.ends.push(end);
  }

  /** `kill -9`, and a supervisor that starts it again. @returns whether it ran at all. */
  kill(victim: ManagedProcess): boolean {
    if (victim.pid === null || this.revivals.has(victim)) return false;
    victim.kill('SIGKILL');
    this.revivals.set(
      victim,
      this.revive(victim).finally(() => this.revivals.delete(victim)),
    );
    return true;
  }

  /** Waits until everything that was killed is back. */
  async revived(): Promise<void> {
    while (this.revivals.size > 0) await Promise.allSettled(this.revivals.values());
  }

  /** Makes streams that nobody watches, for findings to be of. @returns their ids */
  async streams(count: number): Promise<string[]> {
    return (
      await this.query<{ id: string }>(
        `INSERT INTO streams (name, url)
         SELECT 'made ' || gen_random_uuid(), 'http://example.test/' || n || '.m3u8' FROM generate_series(1, $1) n
         RETURNING id`,
        [count],
      )
    ).map(({ id }) => id);
  }

  /** A generator that runs. */
  async generator(order: Pick<GeneratorOrder, 'streamIds'> & Partial<GeneratorOrder>): Promise<Generator> {
    const folder = await mkdtemp(join(this.folder, 'generator-'));
    const generator = new Generator({
      ...{ redisUrl: this.redis.url, spoolDir: join(folder, 'spool'), ledger: join(folder, 'ledger') },
      ...{ maxBytes: MOST_SPOOL, rules: 50, rate: 0, most: 0, imageBytes: 0 },
      ...order,
    });
    this.ends.push(() => generator.process.stop());
    await generator.process.start();
    return generator;
  }

  /** A statement on a connection of its own. */
  query<Row extends object>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    return statement<Row>(this.postgres.url, text, values);
  }

  /** Works with Redis over a connection of its own. */
  async withRedis<T>(work: (redis: RedisConnection) => Promise<T>): Promise<T> {
    const redis = connectRedis(this.redis.url, 'chaos', createLogger('chaos', 'silent'));
    try {
      return await work(redis);
    } finally {
      redis.disconnect();
    }
  }

  /**
   * Holds what generators say they kept against the rows. Waits for nothing.
   * @returns what was lost; rows and alerts beyond one for each finding; the time from spool to commit, ms.
   */
  async reckon(generators: readonly Generator[]): Promise<Reckoning> {
    const streamIds = [...new Set(generators.flatMap(({ order }) => order.streamIds))];
    const rows = await this.query<{ id: string; at: number }>(
      `SELECT id, (extract(epoch FROM pg_xact_commit_timestamp(xmin)) * 1000)::float8 AS at
       FROM detections WHERE stream_id = ANY($1)`,
      [streamIds],
    );
    const [hits] = await this.query<{ count: string }>(
      'SELECT coalesce(sum(count), 0) AS count FROM alerts WHERE stream_id = ANY($1)',
      [streamIds],
    );
    const committedAt = new Map(rows.map(({ id, at }) => [id, at]));
    const kept = (await Promise.all(generators.map((generator) => generator.kept()))).flat();
    const delays = kept.flatMap(({ id, at }) => {
      const committed = committedAt.get(id);
      return committed === undefined ? [] : [committed - at];
    });
    delays.sort((a, b) => a - b);
    const quantile = (share: number): number => Math.round(delays[Math.ceil(delays.length * share) - 1] ?? 0);
    return {
      kept: kept.length,
      stored: rows.length,
      lost: kept.length - delays.length,
      // Every row was counted into exactly one alert in the transaction that made it.
      doubled: rows.length - committedAt.size + Math.abs(Number(hits?.count) - rows.length),
      ...{ p50Ms: quantile(0.5), p99Ms: quantile(0.99), mostMs: quantile(1) },
    };
  }

  /** Rows of these streams that were stored each second, from the first commit since then (epoch ms) to the last. */
  async storedPerSecond(streamIds: readonly string[], since = 0): Promise<number> {
    const [batches] = await this.query<{ rows: string; first: string; seconds: number }>(
      `WITH batch AS (SELECT pg_xact_commit_timestamp(xmin) AS at, count(*) AS rows FROM detections
                      WHERE stream_id = ANY($1) GROUP BY 1)
       SELECT sum(rows) AS rows, (array_agg(rows ORDER BY at))[1] AS first,
              extract(epoch FROM max(at) - min(at))::float8 AS seconds
       FROM batch WHERE at >= to_timestamp($2 / 1000.0)`,
      [streamIds, since],
    );
    return Math.round((Number(batches?.rows) - Number(batches?.first)) / (batches?.seconds ?? 0));
  }

  private async revive(victim: ManagedProcess): Promise<void> {
    await victim.exited;
    while (!this.closing) {
      await sleep(REVIVE_MS);
      try {
        await victim.start();
        return;
      } catch {
        // Its predecessor is not wholly gone, or was killed while it started: once more.
      }
    }
  }
}

/** What became of findings. */
export interface Reckoning {
  kept: number;
  stored: number;
  lost: number;
  doubled: number;
  p50Ms: number;
  p99Ms: number;
  mostMs: number;
}

/** A process that makes findings, keeps and ships them as a monitor does. */
export class Generator {
  readonly process: ManagedProcess;
  /** What it said last; null before it said anything since its last start. */
  report: GeneratorReport | null = null;

  constructor(readonly order: GeneratorOrder) {
    this.process = new ManagedProcess({
      ...{
        name: 'generator',
        command: process.execPath,
        args: [entryOf('test', 'chaos', 'generator.js'), JSON.stringify(order)],
      },
      env: childEnvironment({ NODE_OPTIONS: undefined }),
      ready: { check: () => Promise.resolve(this.report !== null) },
      onLine: (line) => {
        if (!line.startsWith('{')) return line;
        this.report = GeneratorReport.parse(JSON.parse(line));
        return null;
      },
    });
    this.process.onExit(() => (this.report = null));
  }

  /** Makes no more, and ships what is there. */
  stopMaking(): void {
    if (this.process.pid !== null) process.kill(this.process.pid, 'SIGUSR2');
  }

  /** Waits until nothing is being made and the spool is empty. */
  async drained(withinMs: number): Promise<void> {
    await this.until((report) => !report.making && report.pending === 0, withinMs);
  }

  /** Waits for a report. @throws when none like that came in time; the last one is in the message. */
  async until(wanted: (report: GeneratorReport) => boolean, withinMs: number): Promise<GeneratorReport> {
    const deadline = performance.now() + withinMs;
    for (;;) {
      if (this.report !== null && wanted(this.report)) return this.report;
      if (performance.now() > deadline) {
        const said = this.process.lastLines.join('\n');
        throw new Error(`After ${String(withinMs)} ms a generator says ${JSON.stringify(this.report)}\n${said}`);
      }
      await sleep(50);
    }
  }

  /** Findings of which the spool said that it keeps them, and when. */
  async kept(): Promise<{ id: string; at: number }[]> {
    if (!existsSync(this.order.ledger)) return [];
    const lines = (await readFile(this.order.ledger, 'utf8')).split('\n');
    // A kill may have cut the last line; that finding is the spool's all the same.
    return lines.slice(0, -1).flatMap((line) => {
      const [id = '', at] = line.split(' ');
      return id.length === 36 ? [{ id, at: Number(at) }] : [];
    });
  }
}

async function statement<Row extends object>(
  url: string,
  text: string,
  values: readonly unknown[] = [],
): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<Row>(text, [...values])).rows;
  } finally {
    await client.end();
  }
}
