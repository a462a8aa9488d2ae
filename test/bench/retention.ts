import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import pg from 'pg';
import { FactPublisher } from '#libs/bus/fact-stream.js';
import { connectRedis } from '#libs/bus/redis.js';
import { repositoryRoot } from '#libs/config/environment.js';
import { parseSettings } from '#libs/config/settings.js';
import { apiSettings } from '#libs/config/shared.settings.js';
import type { VideoOpened } from '#libs/contracts/facts.js';
import { createEvidenceStore } from '#libs/evidence/create-store.js';
import { createLogger } from '#libs/observability/logger.js';
import { seedDatabase } from '#tools/seed/seed-database.js';
import { startPostgres } from '#tools/services/postgres.js';
import { ProcessGroup } from '#tools/services/process-group.js';
import { startRedis } from '#tools/services/redis.js';
import { createApp } from '../../apps/api/src/create-app.js';
import { AppEvents } from '../../apps/api/src/events/app-events.js';
import { RetentionService } from '../../apps/api/src/retention/retention.service.js';

/** Facts a second that come in meanwhile, and how often a handful is sent, ms. */
const [RATE, TICK_MS] = [500, 50];
/** How often locks are looked at, ms. */
const LOOK_MS = 20;
/** Every so many of the old detections is marked to be kept, and has evidence. */
const [KEPT, WITH_EVIDENCE] = [100, 20];
const DAY_MS = 86_400_000;
const logger = createLogger('bench', 'silent');

/** What a run came to. */
export interface RetentionFigures {
  detections: number;
  seconds: number;
  removedPerSecond: number;
  /** Old detections that were to be kept, and how many of them are there. */
  kept: { marked: number; there: number };
  /** Old detections that should have gone and are there; files of removed ones that are there. */
  left: { rows: number; files: number };
  /** Facts that were sent while it ran, and how many are stored. */
  ingest: { sent: number; stored: number; perSecond: number };
  /** From sending a fact to its being told of, ms; a longest wait for a lock, ms. */
  storedAfterMs: { p50: number; p99: number; max: number };
  longestLockWaitMs: number;
  /** Batches that took too long and were tried again with fewer rows. */
  overruns: number;
  /** Longest time that a transaction of the retention, or any other, was seen open, ms. */
  longestTransactionMs: number;
}

/** Fills servers of its own, then has the api clear `detections` old rows while 500 facts a second come in. */
export async function benchRetention(
  progress: (text: string) => void,
  { detections }: { detections: number },
): Promise<RetentionFigures> {
  const stateDir = join(repositoryRoot, '.vigil', 'bench-retention');
  await rm(stateDir, { recursive: true, force: true });
  const group = new ProcessGroup(progress);
  try {
    const postgres = await group.add('postgres', () =>
      startPostgres({ dir: join(stateDir, 'postgres'), throwaway: true, say: progress }),
    );
    const redis = await group.add('redis', () => startRedis({ dir: join(stateDir, 'redis'), say: progress }));
    return await clearUnderLoad(postgres.url, redis.url, detections, progress);
  } finally {
    await group.stop();
    await rm(stateDir, { recursive: true, force: true });
  }
}

/** The same in an empty database and a Redis that are there. */
export async function clearUnderLoad(
  databaseUrl: string,
  redisUrl: string,
  detections: number,
  progress: (text: string) => void = () => undefined,
): Promise<RetentionFigures> {
  const evidence = await mkdtemp(join(tmpdir(), 'vigil-retention-'));
  const client = new pg.Client({ connectionString: databaseUrl, application_name: 'bench' });
  try {
    const now = new Date(Date.now() - 40 * DAY_MS);
    await seedDatabase(databaseUrl, {
      ...{ detections, streams: 50, agents: 5, days: 30, seed: 1 },
      now,
      say: progress,
    });
    await client.connect();
    const store = createEvidenceStore(pathToFileURL(evidence).href);
    const { rows: files } = await client.query<{ key: string }>(
      `UPDATE detections SET evidence_key = 'detections/' || id || '.jpg' WHERE seq % ${WITH_EVIDENCE} = 1
       RETURNING evidence_key AS key`,
    );
    progress(`writing ${files.length} files of evidence`);
    for (const { key } of files) await store.put(key, Buffer.from('picture'));
    const marked = await client.query(`UPDATE detections SET keep = true WHERE seq % ${KEPT} = 1`);
    await client.query('VACUUM (ANALYZE) detections');
    const app = await createApp(
      parseSettings(apiSettings, {
        ...{ DATABASE_URL: databaseUrl, REDIS_URL: redisUrl, EVIDENCE_URL: pathToFileURL(evidence).href },
        ...{ NODE_ENV: 'test', DEFAULT_ADMIN_PASSWORD: randomUUID(), RETENTION_INTERVAL_MS: '0' },
        ...{ RETENTION_DETECTIONS_DAYS: '30', RETENTION_REVIEWED_DAYS: '30', RETENTION_TRANSCRIPTS_DAYS: '30' },
        ...{ RETENTION_NOTIFICATIONS_DAYS: '30', RETENTION_AUDIT_DAYS: '30' },
      }),
      logger,
    );
    await app.init();
    const load = new Load(redisUrl, databaseUrl, app.get(AppEvents, { strict: false }));
    try {
      const { rows } = await client.query<{ id: string }>('SELECT id FROM streams');
      await load.start(rows.map(({ id }) => id));
      await load.hasStored(RATE);
      progress('clearing');
      const startedAt = performance.now();
      await app.get(RetentionService, { strict: false }).sweep(new AbortController().signal);
      const seconds = (performance.now() - startedAt) / 1_000;
      const told = await load.stop();
      const one = async (sql: string): Promise<number> =>
        Number((await client.query<{ count: string }>(`SELECT count(*) FROM ${sql}`)).rows[0]?.count);
      const old = `detections WHERE created_at < now() - interval '30 days'`;
      const there = await one(`${old} AND keep`);
      const keptBytes = await one(`${old} AND evidence_key IS NOT NULL`);
      return {
        detections,
        seconds: Math.round(seconds),
        removedPerSecond: Math.round((detections - (marked.rowCount ?? 0)) / seconds),
        kept: { marked: marked.rowCount ?? 0, there },
        left: { rows: await one(`${old} AND NOT keep`), files: (await store.bytes(() => true)) / 7 - keptBytes },
        overruns: app.get(RetentionService, { strict: false }).stats.overruns,
        ingest: { ...told.ingest, stored: await one(`detections WHERE label = 'bench'`) },
        ...told.times,
      };
    } finally {
      await load.stop();
      await app.close();
    }
  } finally {
    await client.end().catch(() => undefined);
    await rm(evidence, { recursive: true, force: true });
  }
}

/** Facts as a monitor sends them, at a steady rate, and an eye on locks. */
class Load {
  private readonly sentAt = new Map<string, number>();
  private readonly after: number[] = [];
  private readonly stopping = new AbortController();
  private readonly spoolId = randomUUID();
  private seq = 0;
  private longest = { lock: 0, transaction: 0 };
  private running: Promise<unknown> = Promise.resolve();
  private startedAt = 0;

  constructor(
    private readonly redisUrl: string,
    private readonly databaseUrl: string,
    events: AppEvents,
  ) {
    events.on('detection.stored', ({ id }) => {
      const at = this.sentAt.get(id);
      if (at !== undefined) this.after.push(performance.now() - at);
    });
  }

  async start(streamIds: readonly string[]): Promise<void> {
    this.startedAt = performance.now();
    this.running = Promise.all([this.send(streamIds), this.watch()]);
    // A failure is told by `stop`.
    this.running.catch(() => undefined);
  }

  async hasStored(count: number): Promise<void> {
    for (const deadline = Date.now() + 60_000; this.after.length < count; await sleep(50)) {
      if (Date.now() > deadline) throw new Error('The api stores nothing.');
    }
  }

  async stop(): Promise<{
    ingest: { sent: number; perSecond: number };
    times: Pick<RetentionFigures, 'storedAfterMs' | 'longestLockWaitMs' | 'longestTransactionMs'>;
  }> {
    this.stopping.abort();
    await this.running;
    await this.hasStored(this.seq);
    const sorted = this.after.toSorted((a, b) => a - b);
    const at = (share: number): number => Math.round(sorted[Math.floor(share * (sorted.length - 1))] ?? 0);
    return {
      ingest: { sent: this.seq, perSecond: Math.round(this.seq / this.seconds) },
      times: {
        storedAfterMs: { p50: at(0.5), p99: at(0.99), max: at(1) },
        longestLockWaitMs: Math.round(this.longest.lock),
        longestTransactionMs: Math.round(this.longest.transaction),
      },
    };
  }

  private seconds = 1;

  private async send(streamIds: readonly string[]): Promise<void> {
    const redis = connectRedis(this.redisUrl, 'load', logger);
    const publisher = new FactPublisher(redis);
    while (!this.stopping.signal.aborted) {
      const due = Math.floor(((performance.now() - this.startedAt) / 1_000) * RATE) - this.seq;
      const facts = Array.from({ length: due }, () => this.fact(streamIds));
      if (facts.length > 0) await publisher.append(facts);
      this.seconds = (performance.now() - this.startedAt) / 1_000;
      await sleep(TICK_MS);
    }
    redis.disconnect();
  }

  private fact(streamIds: readonly string[]): string {
    this.seq += 1;
    const eventId = randomUUID();
    this.sentAt.set(eventId, performance.now());
    const now = Date.now();
    const fact: VideoOpened = {
      ...{ type: 'detection.opened', eventId, streamId: streamIds[this.seq % streamIds.length] ?? '', session: 1 },
      ...{ kind: 'video', ruleId: null, ruleVersion: null, label: 'bench', severity: 'info', confidence: 0.9 },
      ...{ objects: [{ label: 'bench', score: 0.9, box: [10, 20, 110, 220] }], frame: { width: 768, height: 432 } },
      ...{ evidenceKey: null, clipKey: null, detector: 'yolo', model: 'bench', detail: '' },
      ...{ startedAt: now, detectedAt: now, ptsMs: 0 },
    };
    return JSON.stringify({ v: 1, spoolId: this.spoolId, seq: this.seq, floor: 1, fact });
  }

  private async watch(): Promise<void> {
    const client = new pg.Client({ connectionString: this.databaseUrl, application_name: 'bench-watch' });
    await client.connect();
    while (!this.stopping.signal.aborted) {
      const { rows } = await client.query<{ lock: number; transaction: number }>(
        `SELECT coalesce((SELECT max(extract(epoch FROM clock_timestamp() - waitstart)) FROM pg_locks
             WHERE NOT granted), 0)::float8 * 1000 AS lock,
           coalesce((SELECT max(extract(epoch FROM clock_timestamp() - xact_start)) FROM pg_stat_activity
             WHERE application_name = 'vigil-api'), 0)::float8 * 1000 AS transaction`,
      );
      this.longest.lock = Math.max(this.longest.lock, rows[0]?.lock ?? 0);
      this.longest.transaction = Math.max(this.longest.transaction, rows[0]?.transaction ?? 0);
      await sleep(LOOK_MS);
    }
    await client.end();
  }
}
