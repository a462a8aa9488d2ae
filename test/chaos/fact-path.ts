import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DataSource } from 'typeorm';
import { DeliveryQueue } from '#libs/bus/delivery-queue.js';
import { FactConsumer, FactPublisher } from '#libs/bus/fact-stream.js';
import { HintSubscriber } from '#libs/bus/channels.js';
import { connectRedis, type RedisConnection } from '#libs/bus/redis.js';
import { WatermarkBoard } from '#libs/bus/watermarks.js';
import type { VideoOpened } from '#libs/contracts/facts.js';
import { parseSettings } from '#libs/config/settings.js';
import { apiSettings } from '#libs/config/shared.settings.js';
import { createLogger } from '#libs/observability/logger.js';
import { createTestDatabase, testRedisUrl, type TestDatabase } from '#libs/testing/test-database.js';
import { AuditRepository } from '../../apps/api/src/audit/audit.repository.js';
import { AuditTrail } from '../../apps/api/src/audit/audit-trail.js';
import { openDatabase } from '../../apps/api/src/database/open-database.js';
import { TransactionRunner } from '../../apps/api/src/database/transaction.js';
import { DetectionEntity } from '../../apps/api/src/detections/detection.entity.js';
import {
  DetectionClosedHandler,
  DetectionOpenedHandler,
} from '../../apps/api/src/detections/detection-fact.handlers.js';
import { DetectionViews } from '../../apps/api/src/detections/detection-views.js';
import { DetectionsRepository } from '../../apps/api/src/detections/detections.repository.js';
import { FactWriter } from '../../apps/api/src/detections/fact-writer.js';
import { EvidenceLinks } from '../../apps/api/src/detections/evidence-links.js';
import { Ingest, type IngestOptions } from '../../apps/api/src/detections/ingest.js';
import { LeaderLock } from '../../apps/api/src/database/leader-lock.js';
import { SpoolProgressRepository } from '../../apps/api/src/detections/spool-progress.repository.js';
import { AppEvents } from '../../apps/api/src/events/app-events.js';
import { Alerting } from '../../apps/api/src/notifications/alerting.js';
import { AlertsRepository } from '../../apps/api/src/notifications/alerts.repository.js';
import { Channels } from '../../apps/api/src/notifications/channels/channels.js';
import { Outbox } from '../../apps/api/src/notifications/deliveries/outbox.js';
import { EscalationsRepository } from '../../apps/api/src/notifications/escalations.repository.js';
import { NotificationEntity } from '../../apps/api/src/notifications/notification.entity.js';
import { NotificationsRepository } from '../../apps/api/src/notifications/notifications.repository.js';
import { NotificationsService } from '../../apps/api/src/notifications/notifications.service.js';
import { StreamStatusHandler } from '../../apps/api/src/streams/stream-status.handler.js';
import { Shipper, type ShipperOptions } from '../../apps/monitor/src/outbox/shipper.js';
import { Spool } from '../../apps/monitor/src/outbox/spool.js';

const logger = createLogger('fact-path', 'silent');

/** A real Postgres with the schema, a real Redis, and the api's and the monitor's ends of the fact path between. */
export class FactPath {
  readonly events = new AppEvents();
  /** Ids of detections that clients were told of. */
  readonly told: string[] = [];
  private readonly ends: (() => Promise<unknown>)[] = [];

  private constructor(
    readonly database: TestDatabase,
    readonly dataSource: DataSource,
    readonly redis: RedisConnection,
    readonly streamId: string,
  ) {
    this.events.on('detection.stored', ({ id }) => this.told.push(id));
  }

  static async open(): Promise<FactPath> {
    const database = await createTestDatabase();
    const dataSource = await openDatabase(database.url, logger);
    const redis = connectRedis(testRedisUrl(8), 'test', logger);
    await redis.flushdb();
    const [stream] = await dataSource.query<{ id: string }[]>(
      `INSERT INTO streams (name, url) VALUES ('door', 'http://example.test/a.m3u8') RETURNING id`,
    );
    await dataSource.query(
      `INSERT INTO users (username, email, password_hash, role) VALUES ('root', 'root@example.test', '-', 'admin')`,
    );
    return new FactPath(database, dataSource, redis, stream?.id ?? '');
  }

  async close(): Promise<void> {
    for (const end of this.ends.reverse()) await end();
    this.redis.disconnect();
    await this.dataSource.destroy();
    await this.database.drop();
  }

  /** A monitor's end, running. */
  async monitor(options: Partial<ShipperOptions> = {}): Promise<{ spool: Spool; shipper: Shipper }> {
    const directory = await mkdtemp(join(tmpdir(), 'vigil-fact-path-'));
    const spool = await Spool.open({ directory, maxBytes: 100_000_000 });
    const connection = this.connect('shipper');
    const hints = new HintSubscriber(this.connect('hints', false), logger);
    const links = { publisher: new FactPublisher(connection), watermarks: new WatermarkBoard(connection), hints };
    const shipper = new Shipper(spool, links, logger, { pollMs: 100, stallMs: 400, ...options });
    shipper.start();
    this.ends.push(async () => {
      await shipper.stop();
      await spool.close();
      await rm(directory, { recursive: true, force: true });
    });
    return { spool, shipper };
  }

  /** An api's end, running. */
  ingest(name: string, options: Partial<IngestOptions> = {}): Ingest {
    const { dataSource, events } = this;
    const notifications = this.notifications(name);
    const repository = new DetectionsRepository(dataSource.getRepository(DetectionEntity));
    const views = new DetectionViews(new EvidenceLinks('secret'));
    const progress = new SpoolProgressRepository(dataSource);
    const ingest = new Ingest(
      {
        lock: new LeaderLock(this.database.url, 1, logger),
        consumer: new FactConsumer(this.connect(`ingest-${name}`), name),
        watermarks: new WatermarkBoard(this.connect(`marks-${name}`)),
        writer: new FactWriter(new TransactionRunner(dataSource), progress, [
          new DetectionOpenedHandler(repository, views, notifications, events),
          new DetectionClosedHandler(repository),
          new StreamStatusHandler(events),
        ]),
        progress,
        logger,
      },
      { blockMs: 100, retryMs: 50, tendMs: 200, ...options },
    );
    ingest.start();
    this.ends.push(() => ingest.stop());
    return ingest;
  }

  /** Who is told, with the queues of deliveries on this Redis. */
  private notifications(name: string): NotificationsService {
    const { dataSource, events } = this;
    const repository = new NotificationsRepository(dataSource.getRepository(NotificationEntity));
    const settings = parseSettings(apiSettings, { DATABASE_URL: this.database.url });
    const outbox = new Outbox(new DeliveryQueue(this.connect(`outbox-${name}`)), logger);
    const alerting = new Alerting(settings, new AlertsRepository(), new Channels(settings), outbox, events);
    const transactions = new TransactionRunner(dataSource);
    const audit = new AuditTrail(new AuditRepository(dataSource), logger);
    return new NotificationsService(repository, events, alerting, new EscalationsRepository(), transactions, audit);
  }

  opened(changes: Partial<VideoOpened> = {}): VideoOpened {
    return {
      type: 'detection.opened',
      eventId: randomUUID(),
      streamId: this.streamId,
      session: 1,
      kind: 'video',
      ruleId: randomUUID(),
      ruleVersion: 1,
      label: 'person',
      severity: 'high',
      confidence: 0.9,
      objects: [{ label: 'person', score: 0.9, box: [10, 20, 110, 220] }],
      frame: { width: 768, height: 432 },
      evidenceKey: 'detections/a.jpg',
      detector: 'yolo',
      detail: '',
      clipKey: null,
      model: 'yolox-nano',
      startedAt: 1_700_000_000_000,
      detectedAt: 1_700_000_001_000,
      ptsMs: 1_000,
      ...changes,
    };
  }

  async count(table: 'detections' | 'notifications'): Promise<number> {
    const [row] = await this.dataSource.query<{ count: string }[]>(`SELECT count(*) FROM ${table}`);
    return Number(row?.count);
  }

  private connect(name: string, failFast = true): RedisConnection {
    const connection = connectRedis(testRedisUrl(8), name, logger, { failFast });
    this.ends.push(() => Promise.resolve(connection.disconnect()));
    return connection;
  }
}

/** Asks until it is so; a bound for what never comes, not a measure. */
export async function until(claim: () => boolean | Promise<boolean>, what: string, patienceMs = 20_000): Promise<void> {
  const deadline = Date.now() + patienceMs;
  while (!(await claim())) {
    if (Date.now() > deadline) throw new Error(`waited in vain until ${what}`);
    await sleep(20);
  }
}
