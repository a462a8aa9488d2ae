import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import type { Logger } from '#libs/observability/logger.js';
import { ADVISORY_LOCKS } from '../database/advisory-locks.js';
import { LeaderTask } from '../database/leader-task.js';
import { API_SETTINGS, LOGGER, type ApiSettings } from '../runtime.module.js';
import { RetentionService } from './retention.service.js';

/** The first sweep comes so long after the start at the earliest, ms: starting is work enough. */
const FIRST_AFTER_MS = 60_000;

/** Removes what is old from time to time, in one process among all. */
@Injectable()
export class RetentionProcess implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly task: LeaderTask | null;

  constructor(
    @Inject(API_SETTINGS) { DATABASE_URL: databaseUrl, RETENTION_INTERVAL_MS: everyMs }: ApiSettings,
    @Inject(LOGGER) logger: Logger,
    retention: RetentionService,
  ) {
    const parts = {
      ...{ databaseUrl, key: ADVISORY_LOCKS.retention, everyMs, firstMs: Math.min(everyMs, FIRST_AFTER_MS) },
      turn: (signal: AbortSignal) => retention.sweep(signal),
      ...{ complaint: 'what is old cannot be removed now', logger },
    };
    this.task = everyMs === 0 ? null : new LeaderTask(parts);
  }

  onApplicationBootstrap(): void {
    this.task?.start();
  }

  /** Before the data source closes: the batch at hand is finished. */
  async onModuleDestroy(): Promise<void> {
    await this.task?.stop();
  }
}
