import { randomUUID } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import type { DetectionView, NotificationView } from '#libs/contracts/sockets.js';
import { noteSpan } from '#libs/observability/tracing.js';
import type { Transaction } from '../database/transaction.js';
import type { AfterCommit } from '../detections/fact-handler.js';
import { AppEvents } from '../events/app-events.js';
import { API_SETTINGS, type ApiSettings } from '../runtime.module.js';
import { AlertsRepository, type WrittenNotifications } from './alerts.repository.js';
import { Channels } from './channels/channels.js';
import { Outbox } from './deliveries/outbox.js';
import { bodyOf, titleOf } from './notification-texts.js';
import { takeTurn } from './notification-turn.js';
import { decide, type HitGroup, type PolicySettings } from './policy/decide.js';
import { reaches } from './policy/severity.js';

/** Turns detections into alerts and has people told, within the transaction that stores them. */
@Injectable()
export class Alerting {
  private readonly policy: PolicySettings;

  constructor(
    @Inject(API_SETTINGS) settings: ApiSettings,
    private readonly alerts: AlertsRepository,
    private readonly channels: Channels,
    private readonly outbox: Outbox,
    private readonly events: AppEvents,
  ) {
    this.policy = policySettings(settings);
  }

  /** @returns what tells clients and queues deliveries, once the transaction is committed. */
  raise(tx: Transaction, detections: readonly DetectionView[]): Promise<AfterCommit[]> {
    return this.tellOf(tx, hitGroups(detections));
  }

  /** The same for hits that are grouped already, one of each stream and rule. */
  async tellOf(tx: Transaction, hits: readonly HitGroup[]): Promise<AfterCommit[]> {
    if (hits.length === 0) return [];
    await takeTurn(tx);
    const now = Date.now();
    const streamIds = [...new Set(hits.map(({ streamId }) => streamId))];
    const decision = decide(
      {
        hits,
        open: await this.alerts.open(tx, hits, now),
        recipients: await this.alerts.recipients(tx, streamIds, this.channels.working),
        globalWebhooks: await this.alerts.globalWebhooks(tx),
        silences: await this.alerts.silences(tx, now),
        ...{ now, newId: randomUUID },
      },
      this.policy,
    );
    const written = await this.alerts.write(tx, decision);
    const queued = async (): Promise<void> => {
      await this.outbox.queue(decision.deliveries);
      noteNotified(written, now);
    };
    return [...this.tell(written), queued];
  }

  private tell({ made, counted }: WrittenNotifications): AfterCommit[] {
    return [
      ...made
        .filter(({ silenced }) => !silenced)
        .map((row) => () => {
          this.events.emit('notification.created', { userId: row.userId, notification: newView(row) });
        }),
      ...counted
        .filter(({ silenced }) => !silenced)
        .map(({ id, userId, readAt, count }) => () => {
          const update = { ids: [id], readAt: readAt?.toISOString() ?? null, count };
          this.events.emit('notification.updated', { userId, update });
        }),
    ];
  }
}

/** Notes for each finding when the notifications about it were made. */
function noteNotified({ made }: WrittenNotifications, startedAt: number): void {
  const counts = new Map<string, number>();
  for (const { hit } of made) {
    if (hit.detectionId !== null) counts.set(hit.detectionId, (counts.get(hit.detectionId) ?? 0) + 1);
  }
  for (const [id, count] of counts) {
    noteSpan(id, { name: 'notify', startedAt, attributes: { 'vigil.notifications': count } });
  }
}

/** A notification just made, as its recipient sees it. */
function newView(row: WrittenNotifications['made'][number]): NotificationView {
  const { id, seq, alertId, count, suppressed, silenced, hit } = row;
  const createdAt = row.createdAt.toISOString();
  return {
    id,
    seq,
    kind: hit.detectionId === null ? 'notice' : 'detection',
    title: hit.title,
    body: hit.body,
    severity: hit.severity,
    streamId: hit.streamId,
    detectionId: hit.detectionId,
    alertId,
    count,
    suppressed,
    silenced,
    acknowledgedAt: null,
    senderId: null,
    note: '',
    readAt: null,
    createdAt,
    lastAt: createdAt,
  };
}

/** The settings as the policy takes them. */
export function policySettings(settings: ApiSettings): PolicySettings {
  return {
    adminsFrom: settings.NOTIFY_ADMINS_FROM,
    inAppMs: settings.NOTIFY_IN_APP_MS,
    groupWaitMs: settings.NOTIFY_GROUP_WAIT_MS,
    groupIntervalMs: settings.NOTIFY_GROUP_INTERVAL_MS,
    promises: { critical: settings.ESCALATE_CRITICAL_MS, high: settings.ESCALATE_HIGH_MS },
  };
}

/** Detections by stream and rule; where there is no rule its label stands in. The gravest of a group gives its severity. */
function hitGroups(detections: readonly DetectionView[]): HitGroup[] {
  const groups = new Map<string, HitGroup>();
  for (const detection of detections) {
    const { streamId, ruleId, label, severity } = detection;
    const ruleKey = `${ruleId ?? 'signal'}:${label.toLowerCase()}`;
    const key = `${streamId} ${ruleKey}`;
    const group = groups.get(key);
    if (group === undefined) {
      const [title, body] = [titleOf(detection), bodyOf(detection)];
      groups.set(key, { streamId, ruleId, ruleKey, label, severity, count: 1, detectionId: detection.id, title, body });
    } else {
      group.count += 1;
      if (reaches(severity, group.severity)) group.severity = severity;
    }
  }
  return [...groups.values()];
}
