import { z } from 'zod';
import type { ChatFragment, ChatRole } from '#libs/contracts/chat.js';
import type { ChatDraft } from '../chat-source.port.js';
import { parseJson } from '../json-frame.js';

const Id = z.union([z.string().min(1), z.number().int()]).transform(String);
const Sender = z.object({
  id: Id,
  username: z.string(),
  identity: z
    .object({
      badges: z
        .array(z.object({ type: z.string() }))
        .max(50)
        .catch([]),
    })
    .optional()
    .catch(undefined),
});
const Message = z.object({ id: Id, content: z.string(), created_at: z.string().optional(), sender: Sender });
const MessageDeleted = z.object({ message: z.object({ id: Id }) });
const UserBanned = z.object({ id: Id.optional(), user: z.object({ id: Id, username: z.string() }) });
const ChatroomClear = z.object({ id: Id });

/** A frame of the Pusher protocol. `data` is JSON once more, mostly inside a string. */
export const PusherFrame = z.object({
  event: z.string(),
  channel: z.string().optional(),
  data: z.unknown().optional(),
});

/** The inner part of a frame: JSON in a string, or JSON as it is. */
export function innerData(data: unknown): unknown {
  return typeof data === 'string' ? parseJson(data) : data;
}

const ROLES: Readonly<Record<string, ChatRole>> = {
  broadcaster: 'broadcaster',
  moderator: 'moderator',
  vip: 'vip',
  subscriber: 'subscriber',
  founder: 'subscriber',
  og: 'vip',
  staff: 'staff',
  verified: 'verified',
};
const EMOTE = /\[emote:(\d{1,20}):([^\]\s]{0,100})\]/g;

/** Events of a chat room that say something. */
export type KickEvent = 'ChatMessageEvent' | 'MessageDeletedEvent' | 'UserBannedEvent' | 'ChatroomClearEvent';

/** The event of a frame by its short name; null when it is none that we read. */
export function eventOf(name: string): KickEvent | null {
  const short = name.startsWith('App\\Events\\') ? name.slice(11) : '';
  switch (short) {
    case 'ChatMessageEvent':
    case 'MessageDeletedEvent':
    case 'UserBannedEvent':
    case 'ChatroomClearEvent':
      return short;
    default:
      return null;
  }
}

/** What an event says as a message; null when it is not what it should be. */
export function toDraft(event: KickEvent, data: unknown, receivedAt: number): ChatDraft | null {
  const nobody = { userId: '', username: '', roles: [], text: '', sentAt: null, kind: 'deleted' as const };
  switch (event) {
    case 'ChatMessageEvent': {
      const { data: message } = Message.safeParse(data);
      if (message === undefined) return null;
      const { sender } = message;
      const sentAt = Date.parse(message.created_at ?? '');
      return {
        externalId: message.id,
        userId: sender.id,
        username: sender.username,
        roles: (sender.identity?.badges ?? []).flatMap(({ type }) =>
          Object.hasOwn(ROLES, type) ? [ROLES[type] as ChatRole] : [],
        ),
        ...bodyOf(message.content),
        sentAt: Number.isNaN(sentAt) ? null : sentAt,
        kind: 'text',
      };
    }
    case 'MessageDeletedEvent': {
      const { data: deleted } = MessageDeleted.safeParse(data);
      if (deleted === undefined) return null;
      const messageId = deleted.message.id;
      return { ...nobody, externalId: `deleted:${messageId}`, target: { messageId } };
    }
    case 'UserBannedEvent': {
      const { data: banned } = UserBanned.safeParse(data);
      if (banned === undefined) return null;
      const { id, username } = banned.user;
      return {
        ...nobody,
        externalId: `banned:${banned.id ?? `${id}:${receivedAt}`}`,
        username,
        target: { userId: id },
      };
    }
    case 'ChatroomClearEvent': {
      const { data: cleared } = ChatroomClear.safeParse(data);
      return cleared === undefined ? null : { ...nobody, externalId: `cleared:${cleared.id}`, target: {} };
    }
  }
}

/** Emotes stand in the text as `[emote:37226:KEKW]`; people read their names. */
function bodyOf(content: string): { text: string; fragments?: ChatFragment[] } {
  const fragments: ChatFragment[] = [];
  let at = 0;
  for (const match of content.slice(0, 20_000).matchAll(EMOTE)) {
    const [whole, emoteId = '', name = ''] = match;
    if (match.index > at) fragments.push({ type: 'text', text: content.slice(at, match.index) });
    fragments.push({ type: 'emote', text: name, emoteId });
    at = match.index + whole.length;
  }
  if (fragments.length === 0) return { text: content };
  if (at < content.length) fragments.push({ type: 'text', text: content.slice(at) });
  return { text: fragments.map(({ text }) => text).join(''), fragments };
}
