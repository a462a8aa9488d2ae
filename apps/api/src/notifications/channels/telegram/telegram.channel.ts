import { z } from 'zod';
import type { ApiSettings } from '../../../runtime.module.js';
import { cut } from '../../notification-texts.js';
import { DeliveryFault, type Channel, type ChannelMessage } from '../channel.port.js';
import { keyboardButton, type KeyboardButton } from './buttons.js';
import { TelegramApi } from './telegram-api.js';

const TelegramTarget = z.object({ chatId: z.string().regex(/^-?\d{1,20}$/) });

/** What a message is called here: its chat, its number, and whether its text is the caption of a photo. */
const Reference = z
  .string()
  .transform((text) => text.split('/'))
  .pipe(z.tuple([TelegramTarget.shape.chatId, z.string().regex(/^\d{1,15}$/), z.enum(['text', 'photo'])]));

/** Longest text of a message and of a caption, by the Bot API. */
const [LONGEST_TEXT, LONGEST_CAPTION] = [4_096, 1_024];

/** Name of the hold that all sending over the bot obeys: the pause that Telegram asks for is the bot's. */
export const TELEGRAM_HOLD = 'telegram';

/** Sends over the bot of `TELEGRAM_BOT_TOKEN`. Texts are plain, so that nothing in them is taken for markup. */
export function telegramChannel(settings: Pick<ApiSettings, 'TELEGRAM_BOT_TOKEN' | 'TELEGRAM_API_URL'>): Channel {
  const token = settings.TELEGRAM_BOT_TOKEN;
  const api = token === undefined ? null : new TelegramApi(settings.TELEGRAM_API_URL, token);
  return {
    id: 'telegram',
    title: 'Telegram',
    target: TelegramTarget,
    concurrency: 5,
    works: api !== null,
    holdOf: () => TELEGRAM_HOLD,
    close: () => undefined,
    async send(message, target, signal) {
      const { chatId } = TelegramTarget.parse(target);
      if (api === null) return '';
      const about = { chat_id: chatId, reply_markup: { inline_keyboard: buttonsOf(message) } };
      if (message.image === null) {
        return `${chatId}/${String(await api.send({ ...about, ...textOf(message) }, signal))}/text`;
      }
      return `${chatId}/${String(await api.sendPhoto(message.image, { ...about, ...captionOf(message) }, signal))}/photo`;
    },
    async edit(message, target, reference, signal) {
      const { chatId } = TelegramTarget.parse(target);
      const [sentTo, id, shape] = Reference.parse(reference);
      // What is in a chat that was unlinked stays as it is.
      if (sentTo !== chatId || api === null) throw new DeliveryFault('It was sent to another chat.', true);
      const about = { chat_id: chatId, message_id: Number(id), reply_markup: { inline_keyboard: buttonsOf(message) } };
      await (shape === 'photo'
        ? api.edit('editMessageCaption', { ...about, ...captionOf(message) }, signal)
        : api.edit('editMessageText', { ...about, ...textOf(message) }, signal));
    },
    /** Asks the bot for its own name. */
    async probe(signal) {
      await api?.getMe(signal);
    },
  };
}

/** Whoever has acknowledged it need not be asked to; a verdict may be given at any time. */
function buttonsOf({ items, acknowledgedBy }: ChannelMessage): KeyboardButton[][] {
  const [item, ...more] = items;
  if (item === undefined || more.length > 0) return [];
  const { notificationId, alertId, detectionId } = item;
  const rows: KeyboardButton[][] = [];
  if (notificationId !== null && alertId !== null && acknowledgedBy === null) {
    rows.push([keyboardButton('Acknowledge', { act: 'acknowledge', notificationId })]);
  }
  if (detectionId !== null) {
    rows.push([
      keyboardButton('Right', { act: 'verdict', verdict: 'true', detectionId }),
      keyboardButton('Wrong', { act: 'verdict', verdict: 'false', detectionId }),
      keyboardButton('Unsure', { act: 'verdict', verdict: 'unsure', detectionId }),
    ]);
  }
  return rows;
}

/** Addresses in it are somebody else's: Telegram must not look them up. */
function textOf(message: ChannelMessage): object {
  return { text: cut(linesOf(message), LONGEST_TEXT), link_preview_options: { is_disabled: true } };
}

function captionOf(message: ChannelMessage): { caption: string } {
  return { caption: cut(linesOf(message), LONGEST_CAPTION) };
}

function linesOf({ severity, items, acknowledgedBy, link }: ChannelMessage): string {
  const lines = items.map(
    ({ title, body, count }) => `${title}${count > 1 ? ` (${String(count)} times)` : ''}\n${body}`,
  );
  const taken = acknowledgedBy === null ? '' : `\nAcknowledged by ${acknowledgedBy}.`;
  return `[${severity}] ${lines.join('\n\n')}${taken}${link === null ? '' : `\n${link}`}`;
}
