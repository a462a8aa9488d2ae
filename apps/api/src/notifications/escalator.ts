import { randomUUID } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { TransactionRunner } from '../database/transaction.js';
import { AppEvents } from '../events/app-events.js';
import { API_SETTINGS, type ApiSettings } from '../runtime.module.js';
import { policySettings } from './alerting.js';
import { AlertsRepository, insertDeliveries } from './alerts.repository.js';
import { Channels } from './channels/channels.js';
import { Outbox } from './deliveries/outbox.js';
import { EscalationsRepository } from './escalations.repository.js';
import { viewOf } from './notifications.dto.js';
import type { NotificationEntity } from './notification.entity.js';
import { takeTurn } from './notification-turn.js';
import type { NewDelivery, PolicySettings } from './policy/decide.js';
import { escalate } from './policy/escalation.js';

/** Alerts that are taken further in one transaction. */
const BATCH = 50;

/** Takes alerts further that nobody acknowledged in the time their severity promises. */
@Injectable()
export class Escalator {
  private readonly policy: PolicySettings;

  constructor(
    @Inject(API_SETTINGS) settings: ApiSettings,
    private readonly escalations: EscalationsRepository,
    private readonly alerts: AlertsRepository,
    private readonly channels: Channels,
    private readonly transactions: TransactionRunner,
    private readonly outbox: Outbox,
    private readonly events: AppEvents,
  ) {
    this.policy = policySettings(settings);
  }

  /** Takes all that are due one step further. @throws when the database is away. */
  async run(): Promise<void> {
    for (let taken = BATCH; taken === BATCH;) taken = await this.batch();
  }

  private async batch(): Promise<number> {
    const now = Date.now();
    const deliveries: NewDelivery[] = [];
    const told: NotificationEntity[] = [];
    const taken = await this.transactions.run(async (tx) => {
      if (!(await this.escalations.anyDue(tx, now))) return 0;
      await takeTurn(tx);
      const due = await this.escalations.due(tx, now, BATCH);
      const streamIds = [...new Set(due.map(({ streamId }) => streamId))];
      const recipients = await this.alerts.recipients(tx, streamIds, this.channels.working);
      for (const alert of due) {
        const escalation = escalate(alert.escalation, alert.severity, now, this.policy.promises);
        await this.escalations.advance(tx, alert.id, escalation?.level ?? alert.escalation, escalation?.nextAt ?? null);
        if (escalation === null) continue;
        const whom = (recipients.get(alert.streamId) ?? []).filter(({ role, assigned }) =>
          escalation.step === 'admins' ? role === 'admin' : assigned,
        );
        const rows = await this.escalations.insert(
          tx,
          alert,
          whom.map(({ userId }) => userId),
        );
        told.push(...rows);
        for (const { userId, routes } of whom) {
          const notificationId = rows.find((row) => row.userId === userId)?.id ?? null;
          const dispatches = routes.map((route) => ({ route, kind: 'single' as const, dueAt: now }));
          deliveries.push(
            ...dispatches.map((dispatch) => ({
              ...{ id: randomUUID(), alertId: alert.id, userId, notificationId, dispatch },
            })),
          );
        }
      }
      await insertDeliveries(tx, deliveries);
      return due.length;
    });
    for (const row of told) {
      this.events.emit('notification.created', { userId: row.userId, notification: viewOf(row) });
    }
    await this.outbox.queue(deliveries);
    return taken;
  }
}
