import { Injectable } from '@nestjs/common';
import type { DetectionClosed, DetectionContext, DetectionOpened } from '#libs/contracts/facts.js';
import { noteSpan } from '#libs/observability/tracing.js';
import type { Transaction } from '../database/transaction.js';
import { AppEvents } from '../events/app-events.js';
import { NotificationsService } from '../notifications/notifications.service.js';
import { DetectionViews } from './detection-views.js';
import { DetectionsRepository } from './detections.repository.js';
import type { AfterCommit, FactHandler } from './fact-handler.js';

/** Stores events that opened, and has people notified of those that are new. */
@Injectable()
export class DetectionOpenedHandler implements FactHandler<'detection.opened'> {
  readonly type = 'detection.opened';

  constructor(
    private readonly repository: DetectionsRepository,
    private readonly views: DetectionViews,
    private readonly notifications: NotificationsService,
    private readonly events: AppEvents,
  ) {}

  async apply(tx: Transaction, facts: readonly DetectionOpened[]): Promise<AfterCommit[]> {
    const startedAt = Date.now();
    const views = (await this.repository.insert(tx, facts)).map((row) => this.views.of(row));
    if (views.length === 0) return [];
    const told = await this.notifications.forDetections(tx, views);
    const ingested = (): void => {
      for (const { id } of views) noteSpan(id, { name: 'ingest', kind: 'consumer', startedAt });
    };
    return [ingested, ...views.map((view) => () => this.events.emit('detection.stored', view)), ...told];
  }
}

/** Keeps what was written after a line of chat that was found. Of an event that was shed nothing is kept. */
@Injectable()
export class DetectionContextHandler implements FactHandler<'detection.context'> {
  readonly type = 'detection.context';

  constructor(private readonly repository: DetectionsRepository) {}

  async apply(tx: Transaction, facts: readonly DetectionContext[]): Promise<AfterCommit[]> {
    await this.repository.addContext(tx, facts);
    return [];
  }
}

/** Notes when events ended. An end whose beginning was shed changes nothing. */
@Injectable()
export class DetectionClosedHandler implements FactHandler<'detection.closed'> {
  readonly type = 'detection.closed';

  constructor(private readonly repository: DetectionsRepository) {}

  async apply(tx: Transaction, facts: readonly DetectionClosed[]): Promise<AfterCommit[]> {
    await this.repository.close(tx, facts);
    return [];
  }
}
