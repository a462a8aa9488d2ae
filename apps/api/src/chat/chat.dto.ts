import { z } from 'zod';
import { CHAT_TEXT_LIMIT, ChatRole } from '#libs/contracts/chat.js';
import { EpochMs } from '#libs/contracts/primitives.js';

/** Messages of one request at most. */
const MOST_MESSAGES = 500;

const PushedMessage = z
  .strictObject({
    id: z.string().min(1).max(200).describe('Your id of the message: the same one again is not taken twice.'),
    userId: z.string().max(200).default('').describe('Your id of the author.'),
    username: z.string().max(200),
    text: z
      .string()
      .describe(`What is longer than ${CHAT_TEXT_LIMIT} characters is cut.`)
      .transform((text) => text.slice(0, CHAT_TEXT_LIMIT)),
    sentAt: z
      .union([EpochMs, z.iso.datetime({ offset: true })])
      .optional()
      .describe('When it was written: an instant, or ms since the epoch; now, when left out.'),
    roles: z
      .array(ChatRole)
      .max(20)
      .transform((roles) => [...new Set(roles)])
      .default([]),
  })
  .meta({ id: 'PushedChatMessage' });
export type PushedMessage = z.infer<typeof PushedMessage>;

export const PushChatRequest = z
  .strictObject({ messages: z.array(PushedMessage).min(1).max(MOST_MESSAGES) })
  .meta({ id: 'PushChatRequest' });
export type PushChatRequest = z.infer<typeof PushChatRequest>;

export const PushChatResult = z
  .object({
    accepted: z.number().int().describe('Messages that were taken now.'),
    duplicates: z.number().int().describe('Messages that were taken before, within the last ten minutes or so.'),
  })
  .meta({ id: 'PushChatResult' });
export type PushChatResult = z.infer<typeof PushChatResult>;
