import { Injectable } from '@nestjs/common';
import type { CanaryLeft, CanaryObserved } from '#libs/contracts/canary.js';
import type { Transaction } from '../database/transaction.js';
import type { AfterCommit, FactHandler } from '../detections/fact-handler.js';
import { AppEvents } from '../events/app-events.js';
import { CanaryRunsRepository } from './canary-runs.repository.js';

/** Keeps what became of canaries, tells admins, and notes when both was done: the latency of the whole way. */
@Injectable()
export class CanaryObservedHandler implements FactHandler<'canary.observed'> {
  readonly type = 'canary.observed';

  constructor(
    private readonly runs: CanaryRunsRepository,
    private readonly events: AppEvents,
  ) {}

  async apply(tx: Transaction, facts: readonly CanaryObserved[]): Promise<AfterCommit[]> {
    const fresh = await this.runs.store(tx, facts);
    return fresh.map(({ runId, monitorId, part, outcome, reason }) => async () => {
      const committedAt = new Date();
      const at = committedAt.toISOString();
      this.events.emit('canary.observed', { runId, monitorId, part, outcome, reason, at });
      await this.runs.told(runId, part, committedAt, new Date());
    });
  }
}

/** Keeps that a monitor has stopped in order. */
@Injectable()
export class CanaryLeftHandler implements FactHandler<'canary.left'> {
  readonly type = 'canary.left';

  constructor(private readonly runs: CanaryRunsRepository) {}

  async apply(tx: Transaction, facts: readonly CanaryLeft[]): Promise<AfterCommit[]> {
    await this.runs.left(tx, facts);
    return [];
  }
}
