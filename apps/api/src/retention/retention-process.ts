import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { messageOf } from '#libs/errors/app-error.js';
import type { Logger } from '#libs/observability/logger.js';
import { ADVISORY_LOCKS } from '../database/advisory-locks.js';
import { LeaderLock } from '../database/leader-lock.js';
import { API_SETTINGS, LOGGER, type ApiSettings } from '../runtime.module.js';
import { RetentionService } from './retention.service.js';

/** The first sweep comes so long after the start at the earliest, ms: starting is work enough. */
const FIRST_AFTER_MS = 60_000;

/** Removes what is old from time to time, in one process among all. */
@Injectable()
export class RetentionProcess implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly stopping = new AbortController();
  private readonly lock: LeaderLock;
  private timer: NodeJS.Timeout | undefined;
  private sweeping: Promise<void> = Promise.resolve();

  constructor(
    @Inject(API_SETTINGS) private readonly settings: ApiSettings,
    @Inject(LOGGER) private readonly logger: Logger,
    private readonly retention: RetentionService,
  ) {
    this.lock = new LeaderLock(settings.DATABASE_URL, ADVISORY_LOCKS.retention, logger);
  }

  onApplicationBootstrap(): void {
    const { RETENTION_INTERVAL_MS: everyMs } = this.settings;
    if (everyMs > 0) this.schedule(Math.min(everyMs, FIRST_AFTER_MS));
  }

  /** Before the data source closes: the batch at hand is finished. */
  async onModuleDestroy(): Promise<void> {
    this.stopping.abort();
    clearTimeout(this.timer);
    await this.sweeping;
    await this.lock.release();
  }

  private schedule(ms: number): void {
    if (this.stopping.signal.aborted) return;
    this.timer = setTimeout(() => {
      this.sweeping = this.run().finally(() => this.schedule(this.settings.RETENTION_INTERVAL_MS));
    }, ms);
  }

  /** Never rejects. */
  private async run(): Promise<void> {
    try {
      // A sweep ends when the lock is lost: another process may have begun one.
      const lost = new AbortController();
      if (!(await this.lock.tryAcquire(() => lost.abort()))) return;
      if (!(await this.lock.check())) return;
      await this.retention.sweep(AbortSignal.any([this.stopping.signal, lost.signal]));
    } catch (error) {
      this.logger.warn({ error: messageOf(error) }, 'what is old cannot be removed now');
    }
  }
}
