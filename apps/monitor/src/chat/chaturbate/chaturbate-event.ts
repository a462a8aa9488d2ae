import { z } from 'zod';
import type { ChatRole } from '#libs/contracts/chat.js';
import type { ChatDraft } from '../chat-source.port.js';

const User = z.object({
  username: z.string().min(1),
  inFanclub: z.boolean().optional().catch(undefined),
  isMod: z.boolean().optional().catch(undefined),
});
const Room = z.object({ broadcaster: z.string().optional().catch(undefined) });
const OBJECTS = {
  chatMessage: Room.extend({ message: z.object({ message: z.string() }), user: User }),
  tip: Room.extend({
    tip: z.object({ tokens: z.number().nonnegative(), isAnon: z.boolean().optional(), message: z.string().catch('') }),
    user: User,
  }),
  roomSubjectChange: Room.extend({ subject: z.string() }),
  fanclubJoin: Room.extend({ user: User }),
};

/** One event as it comes; `object` depends on the method. */
export const EventFrame = z.object({ method: z.string(), id: z.string().min(1), object: z.unknown() });
export type EventFrame = z.infer<typeof EventFrame>;

/**
 * What an event says as a message: null when it is not what it should be, undefined when it is none of ours. Private
 * messages are not the room's and are left alone.
 */
export function toDraft({ method, id, object }: EventFrame): ChatDraft | null | undefined {
  const base = { externalId: id, userId: '', username: '', roles: [], sentAt: instantOf(id) };
  switch (method) {
    case 'chatMessage': {
      const { data } = OBJECTS.chatMessage.safeParse(object);
      return data === undefined ? null : { ...base, ...authorOf(data), text: data.message.message, kind: 'text' };
    }
    case 'tip': {
      const { data } = OBJECTS.tip.safeParse(object);
      if (data === undefined) return null;
      const { tokens, isAnon, message } = data.tip;
      const author = isAnon === true ? { userId: '', username: '', roles: [] } : authorOf(data);
      // The note stands behind a separator of the site's.
      const text = message.replace(/^ {0,5}\| {0,5}/, '');
      return { ...base, ...author, text, kind: 'tip', tip: { amount: tokens, currency: 'tokens' } };
    }
    case 'roomSubjectChange': {
      const { data } = OBJECTS.roomSubjectChange.safeParse(object);
      return data === undefined ? null : { ...base, text: data.subject, kind: 'system' };
    }
    case 'fanclubJoin': {
      const { data } = OBJECTS.fanclubJoin.safeParse(object);
      return data === undefined
        ? null
        : { ...base, ...authorOf(data), text: `${data.user.username} joined the fan club`, kind: 'system' };
    }
    case 'broadcastStart':
    case 'broadcastStop':
      return {
        ...base,
        text: method === 'broadcastStart' ? 'The broadcast started' : 'The broadcast stopped',
        kind: 'system',
      };
    default:
      return undefined;
  }
}

function authorOf({ user, broadcaster }: { user: z.infer<typeof User>; broadcaster?: string | undefined }): {
  userId: string;
  username: string;
  roles: ChatRole[];
} {
  const roles: ChatRole[] = [];
  if (user.username === broadcaster) roles.push('broadcaster');
  if (user.isMod === true) roles.push('moderator');
  if (user.inFanclub === true) roles.push('subscriber');
  // The site has no other id of a user than the name.
  return { userId: user.username, username: user.username, roles };
}

/** Ids are `<epoch ms>-<number>`. */
function instantOf(id: string): number | null {
  const [, instant] = /^(\d{13})-\d{1,10}$/.exec(id) ?? [];
  return instant === undefined ? null : Number(instant);
}
