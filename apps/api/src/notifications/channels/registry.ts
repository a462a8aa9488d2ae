import type { ApiSettings } from '../../runtime.module.js';
import type { Channel } from './channel.port.js';
import { emailChannel } from './email/email.channel.js';
import { telegramChannel } from './telegram/telegram.channel.js';
import { webhookChannel } from './webhook/webhook.channel.js';

/** Every channel; one that is not listed here does not exist. */
export const registry: readonly ((settings: ApiSettings) => Channel)[] = [
  emailChannel,
  telegramChannel,
  webhookChannel,
];
