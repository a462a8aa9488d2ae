import { Injectable } from '@nestjs/common';
import type { Severity } from '#libs/contracts/primitives.js';
import type { Transaction } from '../database/transaction.js';
import type { AfterCommit } from '../detections/fact-handler.js';
import { AppEvents } from '../events/app-events.js';
import { Alerting } from './alerting.js';
import { AlertsRepository } from './alerts.repository.js';
import { streamTitle } from './notification-texts.js';
import { viewOf } from './notifications.dto.js';
import { NotificationsRepository } from './notifications.repository.js';

/** News of the system itself, about no stream. */
export interface HouseNews {
  /** Names what it is about: what comes soon after under the same name is grouped with it. */
  topic: string;
  /** What a silence may name. */
  label: string;
  severity: Severity;
  title: string;
  body: string;
  /** That a trouble is over: the topic that it ends is taken no further. */
  ends?: string;
}

/** News of a stream that is no detection. Its title comes before the stream's name. */
export interface StreamNews extends HouseNews {
  streamId: string;
  streamName: string;
}

/** What the system itself has to say. */
@Injectable()
export class Notices {
  constructor(
    private readonly repository: NotificationsRepository,
    private readonly events: AppEvents,
    private readonly alerting: Alerting,
    private readonly alerts: AlertsRepository,
  ) {}

  /**
   * Has the agents of streams, and admins, told over the channels that they chose, as of a detection.
   * @returns what tells them once the transaction is committed.
   */
  ofStreams(tx: Transaction, news: readonly StreamNews[]): Promise<AfterCommit[]> {
    return this.tellOf(
      tx,
      news.map((one) => ({ ...one, title: `${one.title} ${streamTitle(one.streamName)}` })),
    );
  }

  /** Has admins told over the channels that they chose. @returns as {@link ofStreams} */
  ofHouse(tx: Transaction, news: readonly HouseNews[]): Promise<AfterCommit[]> {
    return this.tellOf(
      tx,
      news.map((one) => ({ ...one, streamId: null })),
    );
  }

  private async tellOf(
    tx: Transaction,
    news: readonly (HouseNews & { streamId: string | null })[],
  ): Promise<AfterCommit[]> {
    for (const { streamId, ends } of news) {
      if (ends !== undefined) await this.alerts.calm(tx, streamId, ruleKeyOf(ends));
    }
    const hits = news.map(({ streamId, topic, label, severity, title, body, ends }) => ({
      ...{ streamId, ruleId: null, ruleKey: ruleKeyOf(topic), label, severity, count: 1, detectionId: null },
      ...{ title, body, isGood: ends !== undefined },
    }));
    return this.alerting.tellOf(tx, hits);
  }

  /** A trouble of a stream, or of the system itself where that is null, is over, and nobody has to hear of it. */
  calm(tx: Transaction, streamId: string | null, topic: string): Promise<void> {
    return this.alerts.calm(tx, streamId, ruleKeyOf(topic));
  }

  /** In the app alone. @param userId null for every admin. */
  async tell(userId: string | null, title: string, body: string): Promise<void> {
    const message = { kind: 'notice' as const, title, body, severity: 'medium' as const };
    const target = userId === null ? { role: 'admin' as const } : { userIds: [userId] };
    for (const row of await this.repository.insertMessage(target, message)) {
      this.events.emit('notification.created', { userId: row.userId, notification: viewOf(row) });
    }
  }
}

/** Rules are named by their ids, so that no topic is taken for one. */
function ruleKeyOf(topic: string): string {
  return `system:${topic}`;
}
