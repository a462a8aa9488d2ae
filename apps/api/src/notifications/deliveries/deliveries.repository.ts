import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { Transaction } from '../../database/transaction.js';
import type { ChannelItem } from '../channels/channel.port.js';
import type { DeliveryLogEntry, DeliveryState } from './delivery.js';

/** A delivery as it is stored. */
export interface DeliveryRow {
  id: string;
  kind: 'single' | 'digest';
  channel: string;
  userId: string | null;
  endpointId: string | null;
  alertId: string | null;
  notificationId: string | null;
  state: DeliveryState;
  attempts: number;
  drivenFrom: number;
  dueAt: Date;
  finishedAt: Date | null;
  reference: string | null;
  log: DeliveryLogEntry[];
  createdAt: Date;
}

/** As much of an alert as may change after it was told. */
export interface ShownAlert {
  count: number;
  acknowledged: boolean;
}

/** A thing to tell, with what the policy and the message need beside it. */
export interface DeliveryItem extends ChannelItem {
  ruleId: string | null;
  label: string;
  evidenceKey: string | null;
  acknowledgedBy: string | null;
}

/** What became of an attempt. */
export interface Outcome {
  state: DeliveryState;
  /** When it is due again, null to leave it. */
  dueAt: Date | null;
  reference: string | null;
  /** What the message says of its alert, null where it is not brought up to date later. */
  shown: ShownAlert | null;
  entry: DeliveryLogEntry;
  /** Whether it counts as an attempt. */
  counts: boolean;
}

/** Columns of a {@link DeliveryRow}, of a table called `d`. */
export const COLUMNS = `d.id, d.kind, d.channel, d.user_id AS "userId", d.endpoint_id AS "endpointId", d.alert_id AS "alertId",
  d.notification_id AS "notificationId", d.state, d.attempts, d.driven_from AS "drivenFrom", d.due_at AS "dueAt",
  d.finished_at AS "finishedAt", d.reference, d.log, d.created_at AS "createdAt"`;
/** How early a job may come, ms. */
const MOST_EARLY_MS = 1_000;
/** Attempts that are remembered of one delivery. */
const MOST_ENTRIES = 50;
/** Things that one digest tells of at most. */
const MOST_ITEMS = 100;

/** The table of deliveries: the truth of what was sent, is due, or is dead. */
@Injectable()
export class DeliveriesRepository {
  constructor(private readonly dataSource: DataSource) {}

  /**
   * Takes an attempt that is due, or will be within a second: clocks differ a little. The taker waits for the rest. One that is being made is taken over only when its maker must be gone.
   * @returns null when there is nothing to do: done, not due, of another attempt, or being made.
   */
  async claim(id: string, attempt: number, goneMs: number, now: number): Promise<DeliveryRow | null> {
    const [rows] = await this.dataSource.query<[DeliveryRow[], number]>(
      `UPDATE deliveries d SET state = 'sending', sending_at = now()
       WHERE d.id = $1 AND d.attempts = $2 AND d.due_at <= $4
         AND (d.state = 'pending'
              OR (d.state = 'sending' AND d.sending_at < now() - make_interval(secs => $3 / 1000.0)))
       RETURNING ${COLUMNS}`,
      [id, attempt, goneMs, new Date(now + MOST_EARLY_MS)],
    );
    return rows[0] ?? null;
  }

  async finish(id: string, attempt: number, outcome: Outcome): Promise<void> {
    const { state, dueAt, reference, shown, entry, counts } = outcome;
    await this.dataSource.query(
      `UPDATE deliveries SET state = $3, attempts = attempts + $4, due_at = coalesce($5, due_at), reference = $6,
         sending_at = NULL, finished_at = CASE WHEN $3 IN ('sent', 'dead', 'suppressed') THEN now() END,
         log = CASE WHEN jsonb_array_length(log) >= $7 THEN log - 0 ELSE log END || $8::jsonb,
         shown_count = $9, shown_acknowledged = $10
       WHERE id = $1 AND attempts = $2 AND state = 'sending'`,
      [
        ...[id, attempt, state, counts ? 1 : 0, dueAt, reference, MOST_ENTRIES, JSON.stringify([entry])],
        ...[shown?.count ?? null, shown?.acknowledged ?? null],
      ],
    );
  }

  /** What a delivery tells of, oldest first. */
  items(row: DeliveryRow): Promise<DeliveryItem[]> {
    return this.dataSource.query(
      `SELECT n.id AS "notificationId", a.id AS "alertId", coalesce(n.detection_id, a.detection_id) AS "detectionId",
              coalesce(n.stream_id, a.stream_id) AS "streamId",
              coalesce(n.kind, CASE WHEN a.detection_id IS NULL THEN 'notice' ELSE 'detection' END) AS kind,
              coalesce(n.title, a.title) AS title, coalesce(n.body, a.body) AS body,
              coalesce(n.severity, a.severity) AS severity, coalesce(a.count, n.count) AS count,
              coalesce(n.created_at, a.opened_at) AS at,
              a.rule_id AS "ruleId", coalesce(a.label, '') AS label, t.evidence_key AS "evidenceKey",
              CASE WHEN a.acknowledged_at IS NOT NULL THEN coalesce(u.username, 'somebody') END AS "acknowledgedBy"
       FROM deliveries d
       LEFT JOIN digest_items i ON i.delivery_id = d.id
       LEFT JOIN notifications n ON n.id = coalesce(d.notification_id, i.notification_id)
       LEFT JOIN alerts a ON a.id = coalesce(n.alert_id, CASE WHEN d.kind = 'single' THEN d.alert_id END)
       LEFT JOIN users u ON u.id = a.acknowledged_by
       LEFT JOIN detections t ON t.id = coalesce(n.detection_id, a.detection_id)
       WHERE d.id = $1 AND coalesce(n.id, a.id) IS NOT NULL
       ORDER BY at, n.id LIMIT ${String(MOST_ITEMS)}`,
      [row.id],
    );
  }

  /** Until when a target asked for silence, null when it may be sent to. */
  async holdUntil(target: string): Promise<Date | null> {
    const [row] = await this.dataSource.query<{ until: Date }[]>(
      'SELECT until FROM delivery_holds WHERE target = $1 AND until > now()',
      [target],
    );
    return row?.until ?? null;
  }

  async hold(target: string, until: Date): Promise<void> {
    await this.dataSource.query(
      `INSERT INTO delivery_holds (target, until) VALUES ($1, $2)
       ON CONFLICT (target) DO UPDATE SET until = greatest(delivery_holds.until, excluded.until)`,
      [target, until],
    );
    await this.dataSource.query(`DELETE FROM delivery_holds WHERE until < now() - interval '1 day'`);
  }

  /**
   * Deliveries that somebody should be sending, or will have to before long.
   * @param goneMs one being made counts as left behind after so long.
   */
  open(soonMs: number, goneMs: number, after: string | null, limit: number): Promise<DeliveryRow[]> {
    return this.dataSource.query(
      `SELECT ${COLUMNS} FROM deliveries d
       WHERE (d.state = 'pending' OR (d.state = 'sending' AND d.sending_at < now() - make_interval(secs => $2 / 1000.0)))
         AND d.due_at < now() + make_interval(secs => $1 / 1000.0) AND ($3::uuid IS NULL OR d.id > $3)
       ORDER BY d.id LIMIT $4`,
      [soonMs, goneMs, after, limit],
    );
  }

  /** Deliveries of a notification, its digests included, the first one first. */
  ofNotification(notificationId: string): Promise<DeliveryRow[]> {
    return this.dataSource.query(
      `SELECT ${COLUMNS} FROM deliveries d
       WHERE d.notification_id = $1
          OR d.id IN (SELECT i.delivery_id FROM digest_items i WHERE i.notification_id = $1)
       ORDER BY d.created_at, d.id LIMIT 200`,
      [notificationId],
    );
  }

  async find(id: string): Promise<DeliveryRow | null> {
    const [row] = await this.dataSource.query<DeliveryRow[]>(`SELECT ${COLUMNS} FROM deliveries d WHERE d.id = $1`, [
      id,
    ]);
    return row ?? null;
  }

  /** Dead letters, by id after the given one. */
  dead(after: string | null, limit: number): Promise<DeliveryRow[]> {
    return this.dataSource.query(
      `SELECT ${COLUMNS} FROM deliveries d WHERE d.state = 'dead' AND ($1::uuid IS NULL OR d.id > $1)
       ORDER BY d.id LIMIT $2`,
      [after, limit],
    );
  }

  /** Drives dead deliveries anew, from the beginning of the schedule. @returns those that were. */
  async redrive(ids: readonly string[] | null, limit: number): Promise<DeliveryRow[]> {
    const [rows] = await this.dataSource.query<[DeliveryRow[], number]>(
      `UPDATE deliveries d SET state = 'pending', due_at = now(), driven_from = d.attempts, finished_at = NULL
       WHERE d.id IN (SELECT x.id FROM deliveries x WHERE x.state = 'dead' AND ($1::uuid[] IS NULL OR x.id = ANY($1))
                      ORDER BY x.id LIMIT $2 FOR UPDATE SKIP LOCKED)
       RETURNING ${COLUMNS}`,
      [ids, limit],
    );
    return rows;
  }

  /** Has what is not sent yet go out now. @returns null when it is sent, or being sent. */
  async hasten(id: string): Promise<DeliveryRow | null> {
    const [rows] = await this.dataSource.query<[DeliveryRow[], number]>(
      `UPDATE deliveries d SET state = 'pending', due_at = now(), finished_at = NULL, attempts = d.attempts + 1,
         driven_from = CASE WHEN d.state = 'dead' THEN d.attempts + 1 ELSE d.driven_from + 1 END
       WHERE d.id = $1 AND d.state IN ('pending', 'dead', 'suppressed')
       RETURNING ${COLUMNS}`,
      [id],
    );
    return rows[0] ?? null;
  }

  /** Runs a statement within a transaction, for rooms that plan deliveries. */
  get manager(): Transaction {
    return this.dataSource.manager;
  }
}
