import { z } from 'zod';
import type { ApiSettings } from '../../../runtime.module.js';
import type { Channel, ChannelMessage } from '../channel.port.js';
import { TelegramApi } from './telegram-api.js';

const TelegramTarget = z.object({ chatId: z.string().regex(/^-?\d{1,20}$/) });

/** Longest text of a message and of a caption, by the Bot API. */
const [LONGEST_TEXT, LONGEST_CAPTION] = [4_096, 1_024];

/** Sends over the bot of `TELEGRAM_BOT_TOKEN`. */
export function telegramChannel(settings: Pick<ApiSettings, 'TELEGRAM_BOT_TOKEN' | 'TELEGRAM_API_URL'>): Channel {
  const token = settings.TELEGRAM_BOT_TOKEN;
  const api = token === undefined ? null : new TelegramApi(settings.TELEGRAM_API_URL, token);
  return {
    id: 'telegram',
    title: 'Telegram',
    target: TelegramTarget,
    concurrency: 5,
    works: api !== null,
    // The pause that Telegram asks for is the bot's, not the chat's.
    holdOf: () => 'telegram',
    close: () => undefined,
    async send(message, target, signal) {
      const { chatId } = TelegramTarget.parse(target);
      if (api === null) return '';
      const text = textOf(message);
      const sent =
        message.image === null
          ? await api.call('sendMessage', { chat_id: chatId, text: text.slice(0, LONGEST_TEXT) }, signal)
          : await api.sendPhoto(chatId, message.image, text.slice(0, LONGEST_CAPTION), signal);
      return `${chatId}/${String(sent.message_id)}`;
    },
  };
}

function textOf({ severity, items, link }: ChannelMessage): string {
  const lines = items.map(
    ({ title, body, count }) => `${title}${count > 1 ? ` (${String(count)} times)` : ''}\n${body}`,
  );
  return `[${severity}] ${lines.join('\n\n')}${link === null ? '' : `\n${link}`}`;
}
