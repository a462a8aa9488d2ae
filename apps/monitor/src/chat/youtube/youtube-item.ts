import { z } from 'zod';
import type { ChatRole } from '#libs/contracts/chat.js';
import type { ChatDraft } from '../chat-source.port.js';

const flag = z.boolean().optional().catch(undefined);
const Author = z.object({
  channelId: z.string(),
  displayName: z.string(),
  isVerified: flag,
  isChatOwner: flag,
  isChatSponsor: flag,
  isChatModerator: flag,
});
/** Micros come as a string of digits. */
const Money = z.object({
  amountMicros: z.union([z.string().regex(/^\d{1,18}$/), z.number().nonnegative()]).transform(Number),
  currency: z.string(),
  userComment: z.string().optional(),
});
/** One item of `liveChat/messages`: what is inside `snippet` depends on its type. */
const Item = z.object({
  id: z.string().min(1),
  snippet: z.object({
    type: z.string(),
    publishedAt: z.string().optional(),
    displayMessage: z.string().optional(),
    textMessageDetails: z.object({ messageText: z.string() }).optional(),
    superChatDetails: Money.optional(),
    superStickerDetails: Money.omit({ userComment: true }).optional(),
    memberMilestoneChatDetails: z.object({ userComment: z.string().optional() }).optional(),
    messageDeletedDetails: z.object({ deletedMessageId: z.string() }).optional(),
    messageRetractedDetails: z.object({ retractedMessageId: z.string() }).optional(),
    userBannedDetails: z.object({ bannedUserDetails: z.object({ channelId: z.string() }) }).optional(),
  }),
  authorDetails: Author.optional(),
});

/** Where the platform says that the chat is over. */
export const CHAT_ENDED = 'chatEndedEvent';

/** The type of an item, whatever else it holds; empty when it is none. */
export function typeOf(item: unknown): string {
  return z.object({ snippet: z.object({ type: z.string() }) }).safeParse(item).data?.snippet.type ?? '';
}

/**
 * What an item says as a message: null when it is not what it should be, undefined when it says nothing. Source:
 * developers.google.com, "YouTube Live Streaming API: LiveChatMessages".
 */
export function toDraft(item: unknown): ChatDraft | null | undefined {
  const { data } = Item.safeParse(item);
  if (data === undefined) return null;
  const { id, snippet } = data;
  const published = Date.parse(snippet.publishedAt ?? '');
  const author = authorOf(data.authorDetails);
  const base = { externalId: id, ...author, sentAt: Number.isNaN(published) ? null : published };
  const shown = snippet.displayMessage ?? '';
  switch (snippet.type) {
    case 'textMessageEvent': {
      const text = snippet.textMessageDetails?.messageText ?? snippet.displayMessage;
      return text === undefined || author.userId === '' ? null : { ...base, text, kind: 'text' };
    }
    case 'superChatEvent':
    case 'superStickerEvent': {
      const money = snippet.superChatDetails ?? snippet.superStickerDetails;
      if (money === undefined) return null;
      const text = snippet.superChatDetails?.userComment ?? '';
      return { ...base, text, kind: 'tip', tip: { amount: money.amountMicros / 1e6, currency: money.currency } };
    }
    case 'memberMilestoneChatEvent':
      return { ...base, text: snippet.memberMilestoneChatDetails?.userComment ?? shown, kind: 'system' };
    case 'newSponsorEvent':
    case 'membershipGiftingEvent':
      return { ...base, text: shown, kind: 'system' };
    case 'messageDeletedEvent':
    case 'messageRetractedEvent': {
      const messageId =
        snippet.messageDeletedDetails?.deletedMessageId ?? snippet.messageRetractedDetails?.retractedMessageId;
      if (messageId === undefined) return null;
      return { ...base, externalId: `deleted:${messageId}`, text: '', kind: 'deleted', target: { messageId } };
    }
    case 'userBannedEvent': {
      const userId = snippet.userBannedDetails?.bannedUserDetails.channelId;
      return userId === undefined ? null : { ...base, text: '', kind: 'deleted', target: { userId } };
    }
    default:
      return undefined;
  }
}

function authorOf(author: z.infer<typeof Author> | undefined): { userId: string; username: string; roles: ChatRole[] } {
  if (author === undefined) return { userId: '', username: '', roles: [] };
  const roles: ChatRole[] = [];
  if (author.isChatOwner === true) roles.push('broadcaster');
  if (author.isChatModerator === true) roles.push('moderator');
  if (author.isChatSponsor === true) roles.push('subscriber');
  if (author.isVerified === true) roles.push('verified');
  return { userId: author.channelId, username: author.displayName, roles };
}
