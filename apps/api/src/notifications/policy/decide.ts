import type { Severity } from '#libs/contracts/primitives.js';
import { firstEscalationAt, type Promises } from './escalation.js';
import { dispatchesOf, isTold, type Dispatch, type Recipient } from './recipients.js';
import { reaches } from './severity.js';
import { silenceFor, type Silence } from './silences.js';

/** Hits of one rule on one stream that came together. */
export interface HitGroup {
  /** Null for what is about no stream: admins are told. */
  streamId: string | null;
  ruleId: string | null;
  /** Names the rule, or what stands in for one, within the stream. */
  ruleKey: string;
  label: string;
  severity: Severity;
  count: number;
  /** The first of them; null for what the system itself says of a stream. */
  detectionId: string | null;
  title: string;
  body: string;
  /** News that nobody has to act on: it is taken no further when nobody acknowledges it. */
  isGood?: boolean;
}

/** An alert that still takes hits. */
export interface OpenAlert {
  id: string;
  streamId: string | null;
  ruleKey: string;
  severity: Severity;
  /** It escalates or was acknowledged already, or never will. */
  escalates: boolean;
  /** The last notification of it in the app, by user. */
  latest: ReadonlyMap<string, { id: string; createdAt: number; silenced: boolean }>;
  /** Who was told beside the app: ids of users, and of global webhooks. */
  told: ReadonlySet<string>;
}

/** What the policy goes by. */
export interface PolicySettings {
  adminsFrom: Severity;
  inAppMs: number;
  groupWaitMs: number;
  groupIntervalMs: number;
  promises: Promises;
}

/** Everything the policy knows when it decides. */
export interface Situation {
  hits: readonly HitGroup[];
  open: readonly OpenAlert[];
  /** Who may be told, by stream. */
  recipients: ReadonlyMap<string | null, readonly Recipient[]>;
  /** Webhooks that hear of every alert. */
  globalWebhooks: readonly string[];
  silences: readonly Silence[];
  now: number;
  newId: () => string;
}

export interface NewAlert {
  id: string;
  hit: HitGroup;
  suppressed: number;
  openedAt: number;
  closesAt: number;
  escalateAt: number | null;
}

export interface NewNotification {
  id: string;
  userId: string;
  alertId: string;
  hit: HitGroup;
  count: number;
  suppressed: number;
  silenced: boolean;
}

export interface NewDelivery {
  id: string;
  alertId: string;
  userId: string | null;
  /** Null for a global webhook. */
  notificationId: string | null;
  dispatch: Dispatch;
}

/** More hits for what is there. */
export interface Count {
  id: string;
  count: number;
  suppressed: number;
}

/** What is to be written. */
export interface Decision {
  /** When it was made: alerts open, notifications are dated and both their intervals begin then. Epoch ms. */
  decidedAt: number;
  alerts: NewAlert[];
  countedAlerts: (Count & { escalateAt: number | null })[];
  notifications: NewNotification[];
  /** Grouped into notifications that are there, with their users. */
  countedNotifications: (Count & { userId: string })[];
  deliveries: NewDelivery[];
}

/**
 * Decides who is told of hits, where and when. Each hit counts once for each recipient: it opens a notification, is
 * grouped into one, or is suppressed, which is counted too. A silence holds from the moment it is known; what is told
 * after it is told as new.
 */
export function decide(situation: Situation, settings: PolicySettings): Decision {
  const decision: Decision = {
    decidedAt: situation.now,
    ...{ alerts: [], countedAlerts: [], notifications: [], countedNotifications: [], deliveries: [] },
  };
  const open = new Map<string, OpenAlert[]>();
  for (const alert of situation.open) {
    const group = open.get(groupOf(alert));
    if (group === undefined) open.set(groupOf(alert), [alert]);
    else group.push(alert);
  }
  for (const hit of situation.hits) {
    // A graver hit is news: it opens an alert of its own.
    const alert = open.get(groupOf(hit))?.find(({ severity }) => reaches(severity, hit.severity));
    decideOn(hit, alert, situation, settings, decision);
  }
  return decision;
}

function groupOf({ streamId, ruleKey }: Pick<HitGroup, 'streamId' | 'ruleKey'>): string {
  return `${streamId ?? ''} ${ruleKey}`;
}

function decideOn(
  hit: HitGroup,
  alert: OpenAlert | undefined,
  situation: Situation,
  settings: PolicySettings,
  decision: Decision,
): void {
  const { now, newId, silences } = situation;
  const silenced = silenceFor(hit, silences, now) !== null;
  const suppressed = silenced ? hit.count : 0;
  const escalateAt = silenced || hit.isGood === true ? null : firstEscalationAt(hit.severity, now, settings.promises);
  const alertId = alert?.id ?? newId();
  if (alert === undefined) {
    const closesAt = now + settings.groupIntervalMs;
    decision.alerts.push({ id: alertId, hit, suppressed, openedAt: now, closesAt, escalateAt });
  } else {
    const due = alert.escalates ? null : escalateAt;
    decision.countedAlerts.push({ id: alertId, count: hit.count, suppressed, escalateAt: due });
  }
  for (const recipient of situation.recipients.get(hit.streamId) ?? []) {
    if (!isTold(recipient, hit.severity, settings.adminsFrom)) continue;
    const { userId } = recipient;
    const latest = alert?.latest.get(userId);
    let notificationId = latest?.id ?? '';
    if (latest !== undefined && now < latest.createdAt + settings.inAppMs && (silenced || !latest.silenced)) {
      decision.countedNotifications.push({ id: latest.id, userId, count: hit.count, suppressed });
    } else {
      notificationId = newId();
      decision.notifications.push({ id: notificationId, userId, alertId, hit, count: hit.count, suppressed, silenced });
    }
    if (silenced || alert?.told.has(userId) === true) continue;
    for (const dispatch of dispatchesOf(recipient, hit.severity, now, settings.groupWaitMs)) {
      decision.deliveries.push({ id: newId(), alertId, userId, notificationId, dispatch });
    }
  }
  if (silenced) return;
  for (const endpointId of situation.globalWebhooks) {
    if (alert?.told.has(endpointId) === true) continue;
    const dispatch: Dispatch = {
      route: { channel: 'webhook', endpointId },
      kind: 'single',
      dueAt: now + settings.groupWaitMs,
    };
    decision.deliveries.push({ id: newId(), alertId, userId: null, notificationId: null, dispatch });
  }
}
