import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Sealer } from '../sealer.js';
import type { DeliveryRow } from './deliveries.repository.js';

/** What an endpoint's secret is sealed for. */
export const WEBHOOK_SECRET = 'webhook';

interface AddressRow {
  email: string | null;
  chatId: string | null;
  url: string | null;
  secret: string | null;
}

/** Where deliveries go, as it is known when they are sent. */
@Injectable()
export class AddressBook {
  constructor(
    private readonly dataSource: DataSource,
    private readonly sealer: Sealer,
  ) {}

  /** @returns null when there is nowhere to send to any more: user disabled, link gone, endpoint disabled. */
  async find(delivery: DeliveryRow): Promise<object | null> {
    const [row] = await this.dataSource.query<AddressRow[]>(
      `SELECT u.email, t.chat_id AS "chatId", w.url, w.secret
       FROM deliveries d
       LEFT JOIN users u ON u.id = d.user_id AND u.disabled_at IS NULL
       LEFT JOIN telegram_links t ON t.user_id = u.id
       LEFT JOIN webhook_endpoints w
         ON w.id = d.endpoint_id AND w.enabled AND w.disabled_at IS NULL AND (d.user_id IS NULL OR w.user_id = u.id)
       WHERE d.id = $1`,
      [delivery.id],
    );
    if (row === undefined) return null;
    const { email, chatId, url, secret } = row;
    switch (delivery.channel) {
      case 'email':
        return email === null ? null : { address: email };
      case 'telegram':
        return chatId === null ? null : { chatId };
      case 'webhook':
        return url === null || secret === null
          ? null
          : { endpointId: delivery.endpointId, url, secret: this.sealer.open(secret, WEBHOOK_SECRET) };
      default:
        return null;
    }
  }

  /** Unlinks a chat that takes nothing any more. @returns false when there is no such link (any more). */
  async forgetChat(userId: string, address: object): Promise<boolean> {
    if (!('chatId' in address)) return false;
    const [, count] = await this.dataSource.query<[unknown[], number]>(
      'DELETE FROM telegram_links WHERE user_id = $1 AND chat_id = $2',
      [userId, address.chatId],
    );
    return count > 0;
  }

  /** Notes how an endpoint does. @returns since when it fails, null when it does not. */
  async noteWebhook(endpointId: string, worked: boolean): Promise<Date | null> {
    const [rows] = await this.dataSource.query<[{ failing_since: Date | null }[], number]>(
      `UPDATE webhook_endpoints SET failing_since = CASE WHEN $2 THEN NULL ELSE coalesce(failing_since, now()) END
       WHERE id = $1 RETURNING failing_since`,
      [endpointId, worked],
    );
    return rows[0]?.failing_since ?? null;
  }

  /** Disables an endpoint. @returns its owner and address; undefined when it was disabled already. */
  async disableWebhook(
    endpointId: string,
    reason: string,
  ): Promise<{ userId: string | null; url: string } | undefined> {
    const [rows] = await this.dataSource.query<[{ userId: string | null; url: string }[], number]>(
      `UPDATE webhook_endpoints SET disabled_at = now(), disabled_reason = $2
       WHERE id = $1 AND disabled_at IS NULL RETURNING user_id AS "userId", url`,
      [endpointId, reason],
    );
    return rows[0];
  }
}
