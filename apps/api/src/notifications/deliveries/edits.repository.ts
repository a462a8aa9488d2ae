import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { COLUMNS, type DeliveryRow, type ShownAlert } from './deliveries.repository.js';

/**
 * How long after an alert closed, or was taken on, its messages are brought up to date at most; keeps the look at them
 * short.
 */
const LOOK_BACK = '1 hour';

/** A message that was sent and says of its alert what is no longer so. */
export type OutdatedDelivery = DeliveryRow & ShownAlert;

/** Messages that change with their alert after they were sent. */
@Injectable()
export class EditsRepository {
  constructor(private readonly dataSource: DataSource) {}

  /**
   * Those of these channels, with what they should say: acknowledged ones at once and first, those that only count at
   * most every so often.
   */
  outdated(channels: readonly string[], everyMs: number, limit: number): Promise<OutdatedDelivery[]> {
    return this.dataSource.query(
      `SELECT * FROM (
         SELECT ${COLUMNS}, a.count, a.acknowledged_at IS NOT NULL AS acknowledged,
                coalesce(d.edited_at, d.finished_at) AS "editedAt", d.edit_failures AS failures,
                (a.acknowledged_at IS NOT NULL) <> d.shown_acknowledged AS news
         FROM alerts a JOIN deliveries d ON d.alert_id = a.id
         WHERE (a.closes_at > now() - interval '${LOOK_BACK}' OR a.acknowledged_at > now() - interval '${LOOK_BACK}')
           AND d.state = 'sent' AND d.kind = 'single' AND d.channel = ANY($1)
           AND (a.count, a.acknowledged_at IS NOT NULL) <> (d.shown_count, d.shown_acknowledged)) o
       WHERE (o.news AND o.failures = 0) OR o."editedAt" < now() - make_interval(secs => $2 / 1000.0)
       ORDER BY o.news DESC, o."editedAt" LIMIT $3`,
      [channels, everyMs, limit],
    );
  }

  async edited(id: string, { count, acknowledged }: ShownAlert): Promise<void> {
    await this.dataSource.query(
      `UPDATE deliveries SET shown_count = $2, shown_acknowledged = $3, edited_at = now(), edit_failures = 0
       WHERE id = $1`,
      [id, count, acknowledged],
    );
  }

  /** Notes an edit that failed; after as many as are allowed, or at once with none, the message is left as it is. */
  async failed(id: string, most: number): Promise<void> {
    await this.dataSource.query(
      `UPDATE deliveries SET edited_at = now(), edit_failures = edit_failures + 1,
         shown_count = CASE WHEN edit_failures + 1 < $2 THEN shown_count END
       WHERE id = $1`,
      [id, most],
    );
  }
}
