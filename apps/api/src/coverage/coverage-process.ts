import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import type { Logger } from '#libs/observability/logger.js';
import { ADVISORY_LOCKS } from '../database/advisory-locks.js';
import { LeaderTask } from '../database/leader-task.js';
import { API_SETTINGS, LOGGER, type ApiSettings } from '../runtime.module.js';
import { BlindWatch } from './blind-watch.js';
import { CoverageHoursRepository } from './coverage-hours.repository.js';
import { silentMsOf } from './silence.js';

/** Sums are brought up to date once in so many looks. */
const LOOKS_PER_SUM = 12;

/** Looks for what is not watched, and keeps the sums; one process among all does, for as long as it runs. */
@Injectable()
export class CoverageProcess implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly task: LeaderTask;
  private readonly silentMs: number;
  private looks = 0;

  constructor(
    @Inject(API_SETTINGS) settings: ApiSettings,
    @Inject(LOGGER) logger: Logger,
    private readonly blind: BlindWatch,
    private readonly hours: CoverageHoursRepository,
  ) {
    this.silentMs = silentMsOf(settings);
    this.task = new LeaderTask({
      ...{ databaseUrl: settings.DATABASE_URL, key: ADVISORY_LOCKS.coverage, everyMs: settings.COVERAGE_CHECK_MS },
      turn: (_signal, leadingSince) => this.look(leadingSince),
      ...{ complaint: 'it cannot be looked for what is not watched', logger },
    });
  }

  onApplicationBootstrap(): void {
    this.task.start();
  }

  /** Before the data source closes: the look at hand is finished. */
  async onModuleDestroy(): Promise<void> {
    await this.task.stop();
  }

  private async look(lookingSince: number): Promise<void> {
    const now = Date.now();
    await this.blind.look(now, lookingSince);
    if (this.looks % LOOKS_PER_SUM === 0) await this.hours.bringUpToDate(now, now - this.silentMs);
    this.looks += 1;
  }
}
