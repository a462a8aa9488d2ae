import { hostname } from 'node:os';
import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { FactConsumer } from '#libs/bus/fact-stream.js';
import { connectRedis } from '#libs/bus/redis.js';
import { WatermarkBoard } from '#libs/bus/watermarks.js';
import type { Logger } from '#libs/observability/logger.js';
import { ADVISORY_LOCKS } from '../database/advisory-locks.js';
import { API_SETTINGS, LOGGER, type ApiSettings } from '../runtime.module.js';
import { FactWriter } from './fact-writer.js';
import { Ingest } from './ingest.js';
import { LeaderLock } from '../database/leader-lock.js';
import { SpoolProgressRepository } from './spool-progress.repository.js';

/** Runs the ingest for as long as the application does, on connections of its own. */
@Injectable()
export class IngestProcess implements OnApplicationBootstrap, OnModuleDestroy {
  /** What the ingest of this process did since it started. */
  readonly stats = (): Ingest['stats'] & { leads: boolean } => ({
    ...(this.ingest?.stats ?? { read: 0, buried: 0, batches: 0, faults: 0 }),
    leads: this.ingest?.isLeading ?? false,
  });
  private ingest: Ingest | null = null;
  private stopParts: () => Promise<void> = () => Promise.resolve();

  constructor(
    @Inject(API_SETTINGS) private readonly settings: ApiSettings,
    @Inject(LOGGER) private readonly logger: Logger,
    private readonly writer: FactWriter,
    private readonly progress: SpoolProgressRepository,
  ) {}

  onApplicationBootstrap(): void {
    const { logger, writer, progress } = this;
    const { REDIS_URL, DATABASE_URL } = this.settings;
    const [reading, telling] = ['ingest', 'ingest-marks'].map((name) =>
      connectRedis(REDIS_URL, name, logger, { failFast: true }),
    );
    if (reading === undefined || telling === undefined) return;
    const ingest = new Ingest({
      lock: new LeaderLock(DATABASE_URL, ADVISORY_LOCKS.ingest, logger),
      consumer: new FactConsumer(reading, `api-${hostname()}-${String(process.pid)}`),
      watermarks: new WatermarkBoard(telling),
      writer,
      progress,
      logger,
    });
    this.ingest = ingest;
    ingest.start();
    this.stopParts = async () => {
      await ingest.stop();
      reading.disconnect();
      telling.disconnect();
    };
  }

  /** Before the data source closes: the batch at hand is still stored. */
  async onModuleDestroy(): Promise<void> {
    await this.stopParts();
  }
}
