import { createHmac } from 'node:crypto';
import { z } from 'zod';
import type { ApiSettings } from '../../../runtime.module.js';
import { DeliveryFault, type Channel, type ChannelMessage } from '../channel.port.js';
import { retryAfterMs } from '../retry-after.js';
import { allowListOf, GuardedPost, type Resolver } from './guarded-post.js';

const WebhookTarget = z.object({ endpointId: z.uuid(), url: z.url(), secret: z.string().startsWith('whsec_') });

/**
 * Sends signed webhooks: https://www.standardwebhooks.com, with symmetric signatures. They are not probed: the only
 * request that their receivers know is an alert, and each has an owner who is told when it fails.
 */
export function webhookChannel({ WEBHOOK_ALLOW }: Pick<ApiSettings, 'WEBHOOK_ALLOW'>, resolve?: Resolver): Channel {
  const posts = new GuardedPost(allowListOf(WEBHOOK_ALLOW), resolve);
  return {
    id: 'webhook',
    title: 'Webhook',
    target: WebhookTarget,
    concurrency: 10,
    works: true,
    holdOf: (target) => `webhook ${WebhookTarget.parse(target).endpointId}`,
    close: () => undefined,
    async send(message, target, signal) {
      const { url, secret } = WebhookTarget.parse(target);
      const body = JSON.stringify(payloadOf(message));
      const at = Math.floor(Date.now() / 1_000);
      const headers = {
        'content-type': 'application/json',
        'user-agent': 'Vigil-Webhook/1',
        'webhook-id': message.id,
        'webhook-timestamp': String(at),
        'webhook-signature': signatureOf(secret, message.id, at, body),
        ...(message.traceparent === null ? {} : { traceparent: message.traceparent }),
      };
      const { status, retryAfter } = await posts.post(url, body, headers, signal);
      if (status >= 200 && status < 300) return '';
      const pause = status === 429 || status === 503 ? retryAfterMs(retryAfter, Date.now()) : null;
      if (status >= 300 && status < 400) {
        throw new DeliveryFault(`The webhook answered ${String(status)}: redirects are not followed.`);
      }
      throw new DeliveryFault(`The webhook answered ${String(status)}.`, status === 410, pause, status === 410);
    },
  };
}

/** `v1,` and the HMAC-SHA256 of id, timestamp and body, in base64. @param secret `whsec_` and the key in base64. */
export function signatureOf(secret: string, id: string, timestamp: number, body: string): string {
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
  return `v1,${createHmac('sha256', key)
    .update(`${id}.${String(timestamp)}.${body}`)
    .digest('base64')}`;
}

function payloadOf(message: ChannelMessage): object {
  const { title, body, severity, link } = message;
  return {
    type: 'alert',
    timestamp: (message.items.at(-1)?.at ?? new Date()).toISOString(),
    data: { title, body, severity, link, items: message.items },
  };
}
