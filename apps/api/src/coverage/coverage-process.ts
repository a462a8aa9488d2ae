import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { messageOf } from '#libs/errors/app-error.js';
import type { Logger } from '#libs/observability/logger.js';
import { ADVISORY_LOCKS } from '../database/advisory-locks.js';
import { LeaderLock } from '../database/leader-lock.js';
import { API_SETTINGS, LOGGER, type ApiSettings } from '../runtime.module.js';
import { BlindWatch } from './blind-watch.js';
import { CoverageHoursRepository } from './coverage-hours.repository.js';
import { silentMsOf } from './silence.js';

/** Sums are brought up to date once in so many looks. */
const LOOKS_PER_SUM = 12;

/** Looks for what is not watched, and keeps the sums; one process among all does, for as long as it runs. */
@Injectable()
export class CoverageProcess implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly lock: LeaderLock;
  private readonly silentMs: number;
  private timer: NodeJS.Timeout | undefined;
  private looking: Promise<void> = Promise.resolve();
  private isStopping = false;
  private lookingSince = 0;
  private looks = 0;
  private lastFault = '';

  constructor(
    @Inject(API_SETTINGS) private readonly settings: ApiSettings,
    @Inject(LOGGER) private readonly logger: Logger,
    private readonly blind: BlindWatch,
    private readonly hours: CoverageHoursRepository,
  ) {
    this.lock = new LeaderLock(settings.DATABASE_URL, ADVISORY_LOCKS.coverage, logger);
    this.silentMs = silentMsOf(settings);
  }

  onApplicationBootstrap(): void {
    this.schedule(0);
  }

  /** Before the data source closes: the look at hand is finished. */
  async onModuleDestroy(): Promise<void> {
    this.isStopping = true;
    clearTimeout(this.timer);
    await this.looking;
    await this.lock.release();
  }

  private schedule(ms: number): void {
    if (this.isStopping) return;
    this.timer = setTimeout(() => {
      this.looking = this.look().finally(() => this.schedule(this.settings.COVERAGE_CHECK_MS));
    }, ms);
  }

  /** Never rejects. */
  private async look(): Promise<void> {
    try {
      if (!this.lock.isHeld) {
        if (!(await this.lock.tryAcquire(() => undefined))) return;
        this.lookingSince = Date.now();
        this.looks = 0;
      }
      if (!(await this.lock.check())) return;
      const now = Date.now();
      await this.blind.look(now, this.lookingSince);
      if (this.looks % LOOKS_PER_SUM === 0) await this.hours.bringUpToDate(now, now - this.silentMs);
      this.looks += 1;
      this.lastFault = '';
    } catch (error) {
      const fault = messageOf(error);
      // One line for each new kind of fault, not one for each try.
      if (fault !== this.lastFault) this.logger.warn({ fault }, 'it cannot be looked for what is not watched');
      this.lastFault = fault;
    }
  }
}
