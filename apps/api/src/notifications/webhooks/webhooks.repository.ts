import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';

/** An endpoint as it is stored, without its secret. */
export interface WebhookRow {
  id: string;
  userId: string | null;
  url: string;
  enabled: boolean;
  events: string[];
  failingSince: Date | null;
  disabledAt: Date | null;
  disabledReason: string | null;
  createdAt: Date;
}

const COLUMNS = `id, user_id AS "userId", url, enabled, events, failing_since AS "failingSince",
  disabled_at AS "disabledAt", disabled_reason AS "disabledReason", created_at AS "createdAt"`;

/** The table of webhook endpoints: global ones, and those of users. Secrets are sealed, and never read here. */
@Injectable()
export class WebhooksRepository {
  constructor(private readonly dataSource: DataSource) {}

  /** @param userId null for the global ones. */
  list(userId: string | null, limit: number): Promise<WebhookRow[]> {
    return this.dataSource.query(
      `SELECT ${COLUMNS} FROM webhook_endpoints WHERE user_id IS NOT DISTINCT FROM $1 ORDER BY created_at, id LIMIT $2`,
      [userId, limit],
    );
  }

  async find(userId: string | null, id: string): Promise<WebhookRow | null> {
    const [row] = await this.dataSource.query<WebhookRow[]>(
      `SELECT ${COLUMNS} FROM webhook_endpoints WHERE user_id IS NOT DISTINCT FROM $1 AND id = $2`,
      [userId, id],
    );
    return row ?? null;
  }

  /** Makes one, unless there are so many already. @returns null then. */
  async create(
    userId: string | null,
    endpoint: { url: string; enabled: boolean; events: readonly string[] },
    sealedSecret: string,
    most: number,
  ): Promise<WebhookRow | null> {
    const [row] = await this.dataSource.query<WebhookRow[]>(
      `INSERT INTO webhook_endpoints (user_id, url, secret, enabled, events)
       SELECT $1, $2, $3, $4, $5
       WHERE (SELECT count(*) FROM webhook_endpoints WHERE user_id IS NOT DISTINCT FROM $1) < $6
       RETURNING ${COLUMNS}`,
      [userId, endpoint.url, sealedSecret, endpoint.enabled, endpoint.events, most],
    );
    return row ?? null;
  }

  /** Enabling one also forgets why it was disabled. */
  async update(id: string, changes: { url?: string; enabled?: boolean; events?: readonly string[] }): Promise<void> {
    await this.dataSource.query(
      `UPDATE webhook_endpoints SET url = coalesce($2, url), enabled = coalesce($3, enabled),
         events = coalesce($4, events), updated_at = now(),
         failing_since = CASE WHEN $3 THEN NULL ELSE failing_since END,
         disabled_at = CASE WHEN $3 THEN NULL ELSE disabled_at END,
         disabled_reason = CASE WHEN $3 THEN NULL ELSE disabled_reason END
       WHERE id = $1`,
      [id, changes.url ?? null, changes.enabled ?? null, changes.events ?? null],
    );
  }

  async remove(id: string): Promise<void> {
    await this.dataSource.query('DELETE FROM webhook_endpoints WHERE id = $1', [id]);
  }
}
