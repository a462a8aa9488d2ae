import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { AppError } from '#libs/errors/app-error.js';
import { AuditTrail } from '../../audit/audit-trail.js';
import { WEBHOOK_SECRET } from '../deliveries/address-book.repository.js';
import { Sealer } from '../sealer.js';
import {
  viewOf,
  type CreatedWebhook,
  type CreateWebhookRequest,
  type UpdateWebhookRequest,
  type WebhookList,
  type WebhookView,
} from './webhooks.dto.js';
import { WebhooksRepository, type WebhookRow } from './webhooks.repository.js';

/** Endpoints of one user, and global ones, at most. */
const [MOST_OF_USER, MOST_GLOBAL] = [5, 50];
const SECRET_BYTES = 24;

/** Endpoints of webhooks. Everywhere `owner` is a user, or null for the global ones. */
@Injectable()
export class WebhooksService {
  constructor(
    private readonly repository: WebhooksRepository,
    private readonly sealer: Sealer,
    private readonly audit: AuditTrail,
  ) {}

  async list(owner: string | null): Promise<WebhookList> {
    return { items: (await this.repository.list(owner, MOST_GLOBAL)).map(viewOf) };
  }

  /** @throws AppError `webhook.not_found`. */
  async get(owner: string | null, id: string): Promise<WebhookView> {
    return viewOf(await this.row(owner, id));
  }

  /** Makes one; this is the only time its secret is seen. @throws AppError `webhook.number.conflict`. */
  async create(owner: string | null, request: CreateWebhookRequest): Promise<CreatedWebhook> {
    const secret = `whsec_${randomBytes(SECRET_BYTES).toString('base64')}`;
    const most = owner === null ? MOST_GLOBAL : MOST_OF_USER;
    const row = await this.repository.create(owner, request, this.sealer.seal(secret, WEBHOOK_SECRET), most);
    if (row === null) {
      throw new AppError('webhook.number.conflict', 'user', `There are ${String(most)} already: delete one first.`);
    }
    await this.record('webhook.created', null, row);
    return { ...viewOf(row), secret };
  }

  /** @throws AppError `webhook.not_found`. */
  async update(owner: string | null, id: string, changes: UpdateWebhookRequest): Promise<WebhookView> {
    const before = await this.row(owner, id);
    await this.repository.update(id, changes);
    const after = await this.row(owner, id);
    await this.record('webhook.updated', before, after);
    return viewOf(after);
  }

  /** @throws AppError `webhook.not_found`. */
  async remove(owner: string | null, id: string): Promise<void> {
    const row = await this.row(owner, id);
    await this.repository.remove(id);
    await this.record('webhook.deleted', row, null);
  }

  private async row(owner: string | null, id: string): Promise<WebhookRow> {
    const row = await this.repository.find(owner, id);
    if (row === null) throw new AppError('webhook.not_found', 'user', 'There is no such webhook.');
    return row;
  }

  private async record(
    action: `webhook.${string}`,
    before: WebhookRow | null,
    after: WebhookRow | null,
  ): Promise<void> {
    const row = after ?? before;
    const host = row === null ? '' : new URL(row.url).host;
    const shown = (side: WebhookRow | null): object | null => (side === null ? null : viewOf(side));
    await this.audit.record({
      ...{ action, target: { type: 'webhook', id: row?.id ?? '', name: host } },
      ...{ before: shown(before), after: shown(after) },
    });
  }
}
