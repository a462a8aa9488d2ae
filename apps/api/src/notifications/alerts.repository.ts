import { Injectable } from '@nestjs/common';
import type { Severity } from '#libs/contracts/primitives.js';
import type { Transaction } from '../database/transaction.js';
import type { Count, Decision, HitGroup, NewAlert, NewDelivery, NewNotification, OpenAlert } from './policy/decide.js';
import { preferencesOf } from './policy/preferences.js';
import type { Recipient, Route } from './policy/recipients.js';
import type { Silence } from './policy/silences.js';

interface RecipientRow {
  stream_id: string | null;
  user_id: string;
  role: 'admin' | 'agent';
  assigned: boolean;
  watching: boolean;
  preferences: unknown;
  telegram: boolean;
  endpoints: string[];
}

interface AlertRow {
  id: string;
  stream_id: string | null;
  rule_key: string;
  severity: Severity;
  escalates: boolean;
}

interface SilenceRow {
  id: string;
  stream_id: string | null;
  rule_id: string | null;
  label: string | null;
  starts_at: Date;
  ends_at: Date;
}

/** Notifications as they are stored now. */
export interface WrittenNotifications {
  made: (NewNotification & { seq: string; createdAt: Date })[];
  counted: { id: string; userId: string; count: number; silenced: boolean; readAt: Date | null }[];
}

const OPEN_ALERT = `a.id, a.stream_id, a.rule_key, a.severity,
  a.escalate_at IS NOT NULL OR a.escalation > 0 OR a.acknowledged_at IS NOT NULL AS escalates`;

/** What the policy needs to know, and what it decided: alerts, and who was told. Everything is set by set. */
@Injectable()
export class AlertsRepository {
  /** Enabled users that may be told of these streams, by stream; of null, admins. @param channels those that work here. */
  async recipients(
    tx: Transaction,
    streamIds: readonly (string | null)[],
    channels: ReadonlySet<string>,
  ): Promise<Map<string | null, Recipient[]>> {
    const rows = await tx.query<RecipientRow[]>(
      `SELECT s.id AS stream_id, u.id AS user_id, u.role, a.agent_id IS NOT NULL AS assigned,
              h.user_id IS NOT NULL AS watching, p.value AS preferences, t.user_id IS NOT NULL AS telegram,
              ARRAY(SELECT w.id FROM webhook_endpoints w
                    WHERE w.user_id = u.id AND w.enabled AND w.disabled_at IS NULL ORDER BY w.id) AS endpoints
       FROM unnest($1::uuid[]) AS s (id)
       JOIN users u ON u.disabled_at IS NULL
       LEFT JOIN assignments a ON a.stream_id = s.id AND a.agent_id = u.id
       LEFT JOIN stream_watches h ON h.stream_id = s.id AND h.user_id = u.id
       LEFT JOIN notification_preferences p ON p.user_id = u.id
       LEFT JOIN telegram_links t ON t.user_id = u.id
       WHERE u.role = 'admin' OR a.agent_id IS NOT NULL`,
      [streamIds],
    );
    const byStream = new Map<string | null, Recipient[]>();
    for (const row of rows) {
      const routes: Route[] = [
        { channel: 'email', endpointId: null },
        ...(row.telegram ? [{ channel: 'telegram' as const, endpointId: null }] : []),
        ...row.endpoints.map((endpointId) => ({ channel: 'webhook' as const, endpointId })),
      ];
      const recipient = {
        ...{ userId: row.user_id, role: row.role, assigned: row.assigned, watching: row.watching },
        preferences: preferencesOf(row.preferences),
        routes: routes.filter(({ channel }) => channels.has(channel)),
      };
      byStream.set(row.stream_id, [...(byStream.get(row.stream_id) ?? []), recipient]);
    }
    return byStream;
  }

  /** Alerts that still take hits of these groups, with who was told of them. */
  async open(tx: Transaction, hits: readonly HitGroup[], now: number): Promise<OpenAlert[]> {
    const ofStreams = await tx.query<AlertRow[]>(
      `SELECT ${OPEN_ALERT}
       FROM unnest($1::uuid[], $2::text[]) AS h (stream_id, rule_key)
       JOIN alerts a ON a.stream_id = h.stream_id AND a.rule_key = h.rule_key AND a.closes_at > $3
       ORDER BY a.opened_at DESC`,
      [hits.map(({ streamId }) => streamId), hits.map(({ ruleKey }) => ruleKey), new Date(now)],
    );
    const house = hits.filter(({ streamId }) => streamId === null).map(({ ruleKey }) => ruleKey);
    const ofHouse =
      house.length === 0
        ? []
        : await tx.query<AlertRow[]>(
            `SELECT ${OPEN_ALERT} FROM alerts a
             WHERE a.stream_id IS NULL AND a.rule_key = ANY($1) AND a.closes_at > $2 ORDER BY a.opened_at DESC`,
            [house, new Date(now)],
          );
    const alerts = [...ofStreams, ...ofHouse];
    if (alerts.length === 0) return [];
    const ids = alerts.map(({ id }) => id);
    const latest = await tx.query<{ id: string; alert_id: string; user_id: string; at: Date; silenced: boolean }[]>(
      `SELECT DISTINCT ON (alert_id, user_id) id, alert_id, user_id, created_at AS at, silenced FROM notifications
       WHERE alert_id = ANY($1) AND kind IN ('detection', 'notice') ORDER BY alert_id, user_id, seq DESC`,
      [ids],
    );
    const told = await tx.query<{ alert_id: string; who: string }[]>(
      'SELECT DISTINCT alert_id, coalesce(user_id, endpoint_id) AS who FROM deliveries WHERE alert_id = ANY($1)',
      [ids],
    );
    const latestOf = new Map<string, Map<string, { id: string; createdAt: number; silenced: boolean }>>();
    for (const { alert_id: alertId, user_id: userId, id, at, silenced } of latest) {
      const own = latestOf.get(alertId) ?? new Map<string, { id: string; createdAt: number; silenced: boolean }>();
      latestOf.set(alertId, own.set(userId, { id, createdAt: at.getTime(), silenced }));
    }
    const toldOf = new Map<string, Set<string>>();
    for (const { alert_id: alertId, who } of told) {
      toldOf.set(alertId, (toldOf.get(alertId) ?? new Set<string>()).add(who));
    }
    return alerts.map(({ id, stream_id: streamId, rule_key: ruleKey, severity, escalates }) => ({
      ...{ id, streamId, ruleKey, severity, escalates },
      latest: latestOf.get(id) ?? new Map<string, { id: string; createdAt: number; silenced: boolean }>(),
      told: toldOf.get(id) ?? new Set<string>(),
    }));
  }

  /** Silences that have not ended; the policy says which hold. */
  async silences(tx: Transaction, now: number): Promise<Silence[]> {
    const rows = await tx.query<SilenceRow[]>(
      'SELECT id, stream_id, rule_id, label, starts_at, ends_at FROM silences WHERE ends_at > $1 ORDER BY id LIMIT 10000',
      [new Date(now)],
    );
    return rows.map((row) => ({
      ...{ id: row.id, streamId: row.stream_id, ruleId: row.rule_id, label: row.label },
      ...{ startsAt: row.starts_at.getTime(), endsAt: row.ends_at.getTime() },
    }));
  }

  /** Global webhooks that hear of alerts. */
  async globalWebhooks(tx: Transaction): Promise<string[]> {
    const rows = await tx.query<{ id: string }[]>(
      `SELECT id FROM webhook_endpoints
       WHERE user_id IS NULL AND enabled AND disabled_at IS NULL AND 'alert' = ANY(events) ORDER BY id`,
    );
    return rows.map(({ id }) => id);
  }

  /** Writes alerts, notifications and deliveries. @returns what became of the notifications. */
  async write(tx: Transaction, decision: Decision): Promise<WrittenNotifications> {
    await this.insertAlerts(tx, decision.alerts);
    await this.countAlerts(tx, decision.countedAlerts);
    const made = await this.insertNotifications(tx, decision.notifications, decision.decidedAt);
    const counted = await this.countNotifications(tx, decision.countedNotifications);
    await insertDeliveries(tx, decision.deliveries);
    return { made, counted };
  }

  /** What an alert tells of is over: it is taken no further. */
  async calm(tx: Transaction, streamId: string | null, ruleKey: string): Promise<void> {
    await tx.query(
      `UPDATE alerts SET escalate_at = NULL
       WHERE stream_id IS NOT DISTINCT FROM $1::uuid AND rule_key = $2 AND escalate_at IS NOT NULL`,
      [streamId, ruleKey],
    );
  }

  private async insertAlerts(tx: Transaction, alerts: readonly NewAlert[]): Promise<void> {
    if (alerts.length === 0) return;
    await tx.query(
      `INSERT INTO alerts (id, stream_id, rule_key, rule_id, label, detection_id, title, body, severity, count,
                           suppressed, opened_at, last_at, closes_at, escalate_at)
       SELECT a.id, a."streamId", a."ruleKey", a."ruleId", a.label, a."detectionId", a.title, a.body, a.severity,
              a.count, a.suppressed, a."openedAt", a."openedAt", a."closesAt", a."escalateAt"
       FROM jsonb_to_recordset($1::jsonb) AS a (
         id uuid, "streamId" uuid, "ruleKey" text, "ruleId" uuid, label text, "detectionId" uuid, title text, body text,
         severity text, count integer, suppressed integer, "openedAt" timestamptz, "closesAt" timestamptz,
         "escalateAt" timestamptz)`,
      [
        JSON.stringify(
          alerts.map(({ id, hit, suppressed, openedAt, closesAt, escalateAt }) => ({
            ...hit,
            ...{ id, suppressed, openedAt: new Date(openedAt), closesAt: new Date(closesAt) },
            escalateAt: escalateAt === null ? null : new Date(escalateAt),
          })),
        ),
      ],
    );
  }

  private async countAlerts(tx: Transaction, counts: Decision['countedAlerts']): Promise<void> {
    if (counts.length === 0) return;
    await tx.query(
      `UPDATE alerts a SET count = a.count + c.count, suppressed = a.suppressed + c.suppressed, last_at = now(),
         escalate_at = coalesce(a.escalate_at, c.at)
       FROM unnest($1::uuid[], $2::integer[], $3::integer[], $4::timestamptz[]) AS c (id, count, suppressed, at)
       WHERE a.id = c.id`,
      [...columnsOf(counts), counts.map(({ escalateAt }) => (escalateAt === null ? null : new Date(escalateAt)))],
    );
  }

  private async insertNotifications(
    tx: Transaction,
    rows: readonly NewNotification[],
    decidedAt: number,
  ): Promise<WrittenNotifications['made']> {
    if (rows.length === 0) return [];
    // Titles and bodies are those of the alert or of a later hit: sent once for each hit, not for each recipient.
    const hits = [...new Set(rows.map(({ hit }) => hit))];
    const position = new Map(hits.map((hit, index) => [hit, index + 1]));
    const inserted = await tx.query<{ id: string; seq: string; created_at: Date }[]>(
      `INSERT INTO notifications (id, user_id, alert_id, count, suppressed, silenced, kind, detection_id, stream_id,
                                  title, body, severity, modality, created_at, last_at)
       SELECT n.id, n.user_id, n.alert_id, n.count, n.suppressed, n.silenced,
              CASE WHEN h.detection_id IS NULL THEN 'notice' ELSE 'detection' END, h.detection_id, h.stream_id, h.title,
              h.body, h.severity, d.kind, $13, $13
       FROM unnest($1::uuid[], $2::integer[], $3::integer[], $4::uuid[], $5::uuid[], $6::boolean[], $7::integer[])
            WITH ORDINALITY AS n (id, count, suppressed, user_id, alert_id, silenced, hit, position)
       JOIN unnest($8::uuid[], $9::uuid[], $10::text[], $11::text[], $12::text[])
            WITH ORDINALITY AS h (detection_id, stream_id, title, body, severity, hit) ON h.hit = n.hit
       LEFT JOIN detections d ON d.id = h.detection_id
       ORDER BY n.position
       RETURNING id, seq, created_at`,
      [
        ...columnsOf(rows),
        rows.map(({ userId }) => userId),
        rows.map(({ alertId }) => alertId),
        rows.map(({ silenced }) => silenced),
        rows.map(({ hit }) => position.get(hit)),
        hits.map(({ detectionId }) => detectionId),
        hits.map(({ streamId }) => streamId),
        hits.map(({ title }) => title),
        hits.map(({ body }) => body),
        hits.map(({ severity }) => severity),
        new Date(decidedAt),
      ],
    );
    const byId = new Map(inserted.map((row) => [row.id, row]));
    return rows.flatMap((row) => {
      const stored = byId.get(row.id);
      return stored === undefined ? [] : [{ ...row, seq: stored.seq, createdAt: stored.created_at }];
    });
  }

  private async countNotifications(
    tx: Transaction,
    counts: Decision['countedNotifications'],
  ): Promise<WrittenNotifications['counted']> {
    if (counts.length === 0) return [];
    const [rows] = await tx.query<[WrittenNotifications['counted'], number]>(
      `UPDATE notifications n
       SET count = n.count + c.count, suppressed = n.suppressed + c.suppressed, last_at = now()
       FROM unnest($1::uuid[], $2::integer[], $3::integer[]) AS c (id, count, suppressed) WHERE n.id = c.id
       RETURNING n.id, n.user_id AS "userId", n.count, n.silenced, n.read_at AS "readAt"`,
      columnsOf(counts),
    );
    return rows;
  }
}

/** Writes deliveries; what belongs to a digest joins the one that is there. @returns ids of the rows that are new. */
export async function insertDeliveries(tx: Transaction, deliveries: readonly NewDelivery[]): Promise<string[]> {
  if (deliveries.length === 0) return [];
  const rows = deliveries.map(({ id, alertId, userId, notificationId, dispatch }) => ({
    ...{ id, alertId, userId, notificationId, kind: dispatch.kind, dueAt: new Date(dispatch.dueAt) },
    ...dispatch.route,
  }));
  const made = await tx.query<{ id: string }[]>(
    `INSERT INTO deliveries (id, kind, channel, user_id, endpoint_id, alert_id, notification_id, due_at)
     SELECT d.id, d.kind, d.channel, d."userId", d."endpointId", d."alertId",
            CASE WHEN d.kind = 'single' THEN d."notificationId" END, d."dueAt"
     FROM jsonb_to_recordset($1::jsonb) AS d (id uuid, kind text, channel text, "userId" uuid, "endpointId" uuid,
          "alertId" uuid, "notificationId" uuid, "dueAt" timestamptz)
     ON CONFLICT DO NOTHING RETURNING id`,
    [JSON.stringify(rows)],
  );
  const digests = rows.filter(({ kind }) => kind === 'digest');
  if (digests.length > 0) {
    await tx.query(
      `INSERT INTO digest_items (delivery_id, notification_id)
       SELECT d.id, i."notificationId"
       FROM jsonb_to_recordset($1::jsonb) AS i (channel text, "userId" uuid, "endpointId" uuid,
            "notificationId" uuid, "dueAt" timestamptz)
       JOIN deliveries d ON d.kind = 'digest' AND d.state = 'pending' AND d.attempts = 0 AND d.user_id = i."userId"
         AND d.channel = i.channel AND d.endpoint_id IS NOT DISTINCT FROM i."endpointId" AND d.due_at = i."dueAt"
       ON CONFLICT DO NOTHING`,
      [JSON.stringify(digests)],
    );
  }
  return made.map(({ id }) => id);
}

function columnsOf(counts: readonly Count[]): [string[], number[], number[]] {
  return [counts.map(({ id }) => id), counts.map(({ count }) => count), counts.map(({ suppressed }) => suppressed)];
}
