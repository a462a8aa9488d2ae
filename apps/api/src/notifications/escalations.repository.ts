import { Injectable } from '@nestjs/common';
import { Any } from 'typeorm';
import type { Severity } from '#libs/contracts/primitives.js';
import type { Transaction } from '../database/transaction.js';
import { NotificationEntity } from './notification.entity.js';

/** An alert that nobody acknowledged in time. */
export interface DueAlert {
  id: string;
  /** Null for what is about no stream. */
  streamId: string | null;
  detectionId: string | null;
  title: string;
  body: string;
  severity: Severity;
  /** Steps taken already. */
  escalation: number;
}

/** Alerts that wait to be acknowledged. */
@Injectable()
export class EscalationsRepository {
  /** Whether there is anything to take; locks nothing. */
  async anyDue(tx: Transaction, now: number): Promise<boolean> {
    const rows = await tx.query<unknown[]>(
      'SELECT 1 FROM alerts WHERE escalate_at <= $1 AND acknowledged_at IS NULL LIMIT 1',
      [new Date(now)],
    );
    return rows.length > 0;
  }

  /** Takes those that are due, so that no other process does. */
  due(tx: Transaction, now: number, limit: number): Promise<DueAlert[]> {
    return tx.query(
      `SELECT id, stream_id AS "streamId", detection_id AS "detectionId", title, body, severity, escalation FROM alerts
       WHERE escalate_at <= $1 AND acknowledged_at IS NULL ORDER BY escalate_at LIMIT $2 FOR UPDATE SKIP LOCKED`,
      [new Date(now), limit],
    );
  }

  async advance(tx: Transaction, id: string, level: number, nextAt: number | null): Promise<void> {
    await tx.query('UPDATE alerts SET escalation = $2, escalate_at = $3 WHERE id = $1', [
      ...[id, level],
      nextAt === null ? null : new Date(nextAt),
    ]);
  }

  /** Tells users in the app. */
  async insert(tx: Transaction, alert: DueAlert, userIds: readonly string[]): Promise<NotificationEntity[]> {
    if (userIds.length === 0) return [];
    const rows = await tx.query<{ id: string }[]>(
      `INSERT INTO notifications (user_id, alert_id, detection_id, stream_id, kind, title, body, severity, modality)
       SELECT u, $2, $3, $4, 'escalation', $5, $6, $7, (SELECT kind FROM detections WHERE id = $3)
       FROM unnest($1::uuid[]) AS u RETURNING id`,
      [
        ...[userIds, alert.id, alert.detectionId, alert.streamId],
        ...[`Nobody has acknowledged: ${alert.title}`, alert.body, alert.severity],
      ],
    );
    return tx.find(NotificationEntity, { where: { id: Any(rows.map(({ id }) => id)) } });
  }

  /** Ends the escalation of an alert: somebody has taken it on. */
  async acknowledge(tx: Transaction, alertId: string, userId: string): Promise<void> {
    await tx.query(
      `UPDATE alerts SET acknowledged_at = now(), acknowledged_by = $2, escalate_at = NULL
       WHERE id = $1 AND acknowledged_at IS NULL`,
      [alertId, userId],
    );
  }
}
