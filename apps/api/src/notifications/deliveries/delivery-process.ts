import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { DeliveryWorker } from '#libs/bus/delivery-queue.js';
import { connectRedis, type RedisConnection } from '#libs/bus/redis.js';
import { messageOf } from '#libs/errors/app-error.js';
import type { Logger } from '#libs/observability/logger.js';
import { ADVISORY_LOCKS } from '../../database/advisory-locks.js';
import { LeaderTask } from '../../database/leader-task.js';
import { API_SETTINGS, LOGGER, type ApiSettings } from '../../runtime.module.js';
import { Channels } from '../channels/channels.js';
import { Escalator } from '../escalator.js';
import { DeliveryAuditor } from './auditor.js';
import { Deliverer } from './deliverer.js';
import { MessageEditor } from './message-editor.js';

/** Workers are waited for so long while Redis is away, ms. */
const AWAY_PATIENCE_MS = 500;

/** Sends deliveries for as long as the application runs; one process among all also audits, escalates and edits. */
@Injectable()
export class DeliveryProcess implements OnApplicationBootstrap, OnModuleDestroy {
  private redis: RedisConnection | null = null;
  private workers: DeliveryWorker[] = [];
  private readonly task: LeaderTask;
  /** The round of edits under way: slow receivers must not keep the rest waiting. */
  private editing: Promise<void> | null = null;
  private readonly ending = new AbortController();
  private auditedAt = Number.NEGATIVE_INFINITY;
  private lastEditFault = '';

  constructor(
    @Inject(API_SETTINGS) private readonly settings: ApiSettings,
    @Inject(LOGGER) private readonly logger: Logger,
    private readonly channels: Channels,
    private readonly deliverer: Deliverer,
    private readonly auditor: DeliveryAuditor,
    private readonly escalator: Escalator,
    private readonly editor: MessageEditor,
  ) {
    this.task = new LeaderTask({
      ...{ databaseUrl: settings.DATABASE_URL, key: ADVISORY_LOCKS.tending, turn: () => this.tend() },
      everyMs: Math.min(settings.ESCALATION_CHECK_MS, settings.DELIVERY_AUDIT_MS),
      ...{ complaint: 'deliveries cannot be audited now', logger },
    });
  }

  onApplicationBootstrap(): void {
    const { logger, settings, deliverer } = this;
    const redis = connectRedis(settings.REDIS_URL, 'deliveries', logger);
    this.redis = redis;
    // An attempt is over, or counts as left behind, before another process may take its job.
    const lockMs = Math.ceil(settings.DELIVERY_SEND_TIMEOUT_MS * 1.5);
    this.workers = this.channels.all.map(
      ({ id, concurrency }) =>
        new DeliveryWorker(redis, id, (job) => deliverer.attempt(job), { concurrency, lockMs }, logger),
    );
    for (const worker of this.workers) worker.start();
    this.task.start();
  }

  /** Before the data source closes: attempts at hand are finished. */
  async onModuleDestroy(): Promise<void> {
    this.ending.abort();
    await this.task.stop();
    await this.editing;
    // Without Redis nothing is at hand that could be finished in order.
    const patienceMs = this.redis?.status === 'ready' ? this.settings.DELIVERY_SEND_TIMEOUT_MS : AWAY_PATIENCE_MS;
    const patience = new Promise((resolve) => setTimeout(resolve, patienceMs).unref());
    await Promise.race([Promise.all(this.workers.map((worker) => worker.close())), patience]);
    this.redis?.disconnect();
  }

  private async tend(): Promise<void> {
    this.editing ??= this.edit();
    await this.escalator.run();
    const { DELIVERY_AUDIT_MS: everyMs } = this.settings;
    if (Date.now() - this.auditedAt < everyMs) return;
    const orphans = await this.auditor.audit(everyMs);
    this.auditedAt = Date.now();
    if (orphans > 0) this.logger.warn({ orphans }, 'deliveries had no job and were queued anew');
  }

  /** Never rejects. */
  private async edit(): Promise<void> {
    try {
      await this.editor.run(this.ending.signal);
      this.lastEditFault = '';
    } catch (error) {
      const fault = messageOf(error);
      // One line for each new kind of fault, not one for each try.
      if (fault !== this.lastEditFault) this.logger.warn({ fault }, 'messages cannot be brought up to date now');
      this.lastEditFault = fault;
    } finally {
      this.editing = null;
    }
  }
}
