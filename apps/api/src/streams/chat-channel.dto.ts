import { z } from 'zod';
import type { ChatChannel } from '#libs/contracts/captures.js';
import type { UserRole } from '../auth/authenticated-user.js';

/** Options of a chat source at most: how many, and how long as JSON, in UTF-16 units. */
const [MOST_OPTIONS, MOST_CHARACTERS] = [50, 8_192];

/** Half a pair of surrogates or a NUL in JSON text: what Postgres cannot keep. */
const UNSTORABLE = /(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f][0-9a-f]{2})/i;

const Platform = z
  .string()
  .regex(/^[a-z0-9-]{1,31}$/, 'lower-case letters, digits and dashes')
  .describe('Id of a chat source, or `push` for a chat whose owner sends it in.')
  .meta({ example: 'twitch' });
const Channel = z
  .string()
  .trim()
  .min(1)
  .max(200)
  .regex(/^[^\p{Cc}\p{Cs}]*$/u, 'must have no control characters')
  .describe('Name or id of the room, as the platform has it.')
  .meta({ example: 'some_streamer' });

/** Where a chat is, as an admin says it. */
export const ChatChannelRequest = z
  .strictObject({
    platform: Platform,
    channel: Channel,
    options: z
      .record(z.string().regex(/^[A-Za-z][A-Za-z0-9_-]{0,63}$/, 'is no name of an option'), z.unknown())
      .refine((options) => Object.keys(options).length <= MOST_OPTIONS, `must be at most ${MOST_OPTIONS}`)
      .refine((options) => isKept(options), `must be JSON of at most ${MOST_CHARACTERS} characters`)
      .optional()
      .describe(
        'What the chat source takes, credentials included; never shown again. Those that are stored stay when this is ' +
          'left out and the platform is the same.',
      ),
  })
  .meta({ id: 'ChatChannelRequest' });
export type ChatChannelRequest = z.infer<typeof ChatChannelRequest>;

/** Where a chat is, as people see it. */
export const ChatChannelView = z
  .object({
    platform: z.string().meta({ example: 'twitch' }),
    channel: z.string().meta({ example: 'some_streamer' }),
    optionKeys: z.array(z.string()).optional().describe('Names of the options that are set; to admins alone.'),
  })
  .meta({ id: 'ChatChannel' });
type ChatChannelView = z.infer<typeof ChatChannelView>;

/**
 * What is to be kept of a request. Options that it leaves out stay as they are, but never follow to another platform:
 * they may be credentials.
 */
export function channelOf(request: ChatChannelRequest | null, before: ChatChannel | null): ChatChannel | null {
  if (request === null) return null;
  const { platform, channel, options } = request;
  const kept = before?.platform === platform ? before.options : {};
  return { platform, channel, options: options ?? kept };
}

/** A chat as somebody of this role may see it: never what its options say. */
export function chatViewOf(chat: ChatChannel | null, role: UserRole): ChatChannelView | null {
  if (chat === null) return null;
  const { platform, channel, options } = chat;
  return role === 'admin' ? { platform, channel, optionKeys: Object.keys(options).sort() } : { platform, channel };
}

function isKept(options: object): boolean {
  const text = JSON.stringify(options);
  return text.length <= MOST_CHARACTERS && !UNSTORABLE.test(text);
}
