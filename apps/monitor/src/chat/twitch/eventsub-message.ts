import { z } from 'zod';
import type { ChatFragment, ChatRole } from '#libs/contracts/chat.js';
import type { ChatDraft } from '../chat-source.port.js';
import { TWITCH_ROLES } from './twitch-message.js';

const Words = z.object({
  text: z.string(),
  fragments: z
    .array(z.object({ type: z.string(), text: z.string(), emote: z.object({ id: z.string() }).nullish() }))
    .max(500)
    .catch([]),
});
const Badges = z
  .array(z.object({ set_id: z.string() }))
  .max(50)
  .catch([]);
const Said = z.object({
  message_id: z.string().min(1),
  chatter_user_id: z.string().catch(''),
  chatter_user_login: z.string().catch(''),
  badges: Badges,
  message: Words,
  cheer: z.object({ bits: z.number().nonnegative() }).nullish().catch(undefined),
});
const Notice = Said.omit({ cheer: true, message: true }).extend({
  system_message: z.string().catch(''),
  message: Words.nullish().catch(undefined),
});
const Deleted = z.object({ message_id: z.string().min(1), target_user_login: z.string().catch('') });
const UserCleared = z.object({ target_user_id: z.string().min(1), target_user_login: z.string().catch('') });

/** A frame of EventSub (dev.twitch.tv, "EventSub: WebSocket message reference"). */
export const EventSubFrame = z.object({
  metadata: z.object({ message_id: z.string().min(1), message_type: z.string(), message_timestamp: z.string() }),
  payload: z.object({
    session: z
      .object({
        id: z.string().min(1).max(500),
        keepalive_timeout_seconds: z.number().positive().max(600).nullish().catch(undefined),
        reconnect_url: z.string().max(2_000).nullish().catch(undefined),
      })
      .optional()
      .catch(undefined),
    subscription: z.object({ type: z.string(), status: z.string() }).optional().catch(undefined),
    event: z.unknown().optional(),
  }),
});
export type EventSubFrame = z.infer<typeof EventSubFrame>;

/** The subscription without which there is no chat. */
export const CHAT_SUBSCRIPTION = 'channel.chat.message';

/** What else a room says; a token that reads the chat may have them as well. All are of version 1. */
export const FURTHER_SUBSCRIPTIONS = [
  ...['channel.chat.notification', 'channel.chat.message_delete'],
  ...['channel.chat.clear_user_messages', 'channel.chat.clear'],
] as const;

/**
 * What a notification says as a message: null when it is not what it should be, undefined when it is none of ours.
 * Source: dev.twitch.tv, "EventSub subscription types".
 */
export function toDraft({ metadata, payload }: EventSubFrame): ChatDraft | null | undefined {
  const sent = Date.parse(metadata.message_timestamp);
  const sentAt = Number.isNaN(sent) ? null : sent;
  const nobody = { userId: '', username: '', roles: [], text: '', sentAt, kind: 'deleted' as const };
  const { event } = payload;
  switch (payload.subscription?.type ?? '') {
    case CHAT_SUBSCRIPTION: {
      const { data } = Said.safeParse(event);
      if (data === undefined) return null;
      const bits = data.cheer?.bits ?? 0;
      return {
        ...{ ...authorOf(data), ...bodyOf(data.message), sentAt },
        ...(bits > 0 ? { kind: 'tip', tip: { amount: bits, currency: 'bits' } } : { kind: 'text' }),
      };
    }
    case 'channel.chat.notification': {
      const { data } = Notice.safeParse(event);
      if (data === undefined) return null;
      const { message } = data;
      const words = message === undefined || message === null || message.text === '' ? null : bodyOf(message);
      return { ...authorOf(data), ...(words ?? { text: data.system_message }), sentAt, kind: 'system' };
    }
    case 'channel.chat.message_delete': {
      const { data } = Deleted.safeParse(event);
      if (data === undefined) return null;
      const messageId = data.message_id;
      return { ...nobody, externalId: `deleted:${messageId}`, username: data.target_user_login, target: { messageId } };
    }
    case 'channel.chat.clear_user_messages': {
      const { data } = UserCleared.safeParse(event);
      if (data === undefined) return null;
      const { target_user_id: userId, target_user_login: username } = data;
      return { ...nobody, externalId: `cleared:${metadata.message_id}`, username, target: { userId } };
    }
    case 'channel.chat.clear':
      return { ...nobody, externalId: `cleared:${metadata.message_id}`, target: {} };
    default:
      return undefined;
  }
}

function authorOf(
  said: Pick<z.infer<typeof Said>, 'message_id' | 'chatter_user_id' | 'chatter_user_login' | 'badges'>,
): {
  externalId: string;
  userId: string;
  username: string;
  roles: ChatRole[];
} {
  return {
    externalId: said.message_id,
    userId: said.chatter_user_id,
    username: said.chatter_user_login,
    roles: said.badges.flatMap(({ set_id: name }) =>
      Object.hasOwn(TWITCH_ROLES, name) ? [TWITCH_ROLES[name] as ChatRole] : [],
    ),
  };
}

/** Fragments are kept when one of them is an emote and all of them make up the text. */
function bodyOf({ text, fragments }: z.infer<typeof Words>): { text: string; fragments?: ChatFragment[] } {
  const emotes = fragments.some(({ type }) => type === 'emote');
  if (!emotes || fragments.map((fragment) => fragment.text).join('') !== text) return { text };
  return {
    text,
    fragments: fragments.map((fragment) =>
      fragment.type === 'emote'
        ? { type: 'emote', text: fragment.text, emoteId: fragment.emote?.id ?? '' }
        : { type: 'text', text: fragment.text },
    ),
  };
}
