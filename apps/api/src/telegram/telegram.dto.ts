import { z } from 'zod';

export const TelegramLink = z
  .object({
    available: z.boolean().describe('Whether a bot is set up here at all.'),
    linked: z.boolean().describe('Whether a chat of yours is told of alerts.'),
    linkedAt: z.iso.datetime().nullable(),
    bot: z
      .string()
      .nullable()
      .describe('Name of the bot; null while Telegram does not say.')
      .meta({ example: 'vigil_bot' }),
    url: z.url().nullable().describe('Opens the bot in Telegram.').meta({ example: 'https://t.me/vigil_bot' }),
  })
  .meta({ id: 'TelegramLink' });
export type TelegramLink = z.infer<typeof TelegramLink>;

export const TelegramCode = z
  .object({
    code: z.string().describe('Good once, for ten minutes; a new one voids it.'),
    command: z.string().describe('What to send to the bot.'),
    bot: z.string().nullable().meta({ example: 'vigil_bot' }),
    url: z.url().nullable().describe('Opens the bot in Telegram and sends the code at a tap.'),
    expiresAt: z.iso.datetime(),
  })
  .meta({ id: 'TelegramCode' });
export type TelegramCode = z.infer<typeof TelegramCode>;
