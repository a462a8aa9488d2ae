import { z } from 'zod';
import type { WebhookRow } from './webhooks.repository.js';

/** Where a webhook goes; whether its address is allowed is checked each time it is sent. */
const EndpointUrl = z
  .url({ protocol: /^https?$/ })
  .max(2_000)
  .refine((text) => {
    const { username, password } = URL.canParse(text) ? new URL(text) : { username: '', password: '' };
    return username === '' && password === '';
  }, 'must not hold a user name or password')
  .meta({ example: 'https://hooks.example.com/vigil' });
const Events = z.array(z.enum(['alert'])).max(10);

export const WebhookView = z
  .object({
    id: z.uuid(),
    url: z.string(),
    enabled: z.boolean(),
    events: z.array(z.string()),
    failingSince: z.iso.datetime().nullable().describe('Nothing has arrived since then.'),
    disabledAt: z.iso.datetime().nullable().describe('It failed for too long; enable it again once it is mended.'),
    disabledReason: z.string().nullable(),
    createdAt: z.iso.datetime(),
  })
  .meta({ id: 'Webhook' });
export type WebhookView = z.infer<typeof WebhookView>;

export const WebhookList = z.object({ items: z.array(WebhookView) }).meta({ id: 'WebhookList' });
export type WebhookList = z.infer<typeof WebhookList>;

export const CreatedWebhook = WebhookView.extend({
  secret: z.string().describe('Signs what is sent (https://www.standardwebhooks.com); shown this once.'),
}).meta({ id: 'CreatedWebhook' });
export type CreatedWebhook = z.infer<typeof CreatedWebhook>;

export const CreateWebhookRequest = z
  .strictObject({ url: EndpointUrl, enabled: z.boolean().default(true), events: Events.default(['alert']) })
  .meta({ id: 'CreateWebhookRequest' });
export type CreateWebhookRequest = z.infer<typeof CreateWebhookRequest>;

export const UpdateWebhookRequest = z
  .strictObject({ url: EndpointUrl.optional(), enabled: z.boolean().optional(), events: Events.optional() })
  .meta({ id: 'UpdateWebhookRequest' });
export type UpdateWebhookRequest = z.infer<typeof UpdateWebhookRequest>;

export function viewOf(row: WebhookRow): WebhookView {
  const { id, url, enabled, events, disabledReason } = row;
  return {
    ...{ id, url, enabled, events, disabledReason },
    failingSince: row.failingSince?.toISOString() ?? null,
    disabledAt: row.disabledAt?.toISOString() ?? null,
    createdAt: row.createdAt.toISOString(),
  };
}
