import { z } from 'zod';
import type { ChatFragment, ChatRole } from '#libs/contracts/chat.js';
import type { ChatDraft } from '../chat-source.port.js';

const Text = z.object({
  simpleText: z.string().optional(),
  runs: z
    .array(
      z.object({
        text: z.string().optional(),
        emoji: z
          .object({
            emojiId: z.string(),
            isCustomEmoji: z.boolean().optional().catch(undefined),
            shortcuts: z.array(z.string()).max(50).optional().catch(undefined),
          })
          .optional(),
      }),
    )
    .max(500)
    .optional(),
});
const Badge = z.object({
  liveChatAuthorBadgeRenderer: z.object({
    icon: z.object({ iconType: z.string() }).optional(),
    customThumbnail: z.unknown().optional(),
  }),
});
const Renderer = z.object({
  id: z.string().min(1),
  timestampUsec: z
    .string()
    .regex(/^\d{1,17}$/)
    .optional()
    .catch(undefined),
  authorExternalChannelId: z.string().optional().catch(undefined),
  authorName: Text.optional().catch(undefined),
  authorBadges: z.array(Badge).max(20).catch([]),
  message: Text.optional(),
  headerSubtext: Text.optional(),
  purchaseAmountText: Text.optional(),
});
const Action = z.object({
  addChatItemAction: z.object({ item: z.record(z.string(), z.unknown()) }).optional(),
  removeChatItemAction: z.object({ targetItemId: z.string().min(1) }).optional(),
  markChatItemAsDeletedAction: z.object({ targetItemId: z.string().min(1) }).optional(),
  removeChatItemByAuthorAction: z.object({ externalChannelId: z.string().min(1) }).optional(),
  markChatItemsByAuthorAsDeletedAction: z.object({ externalChannelId: z.string().min(1) }).optional(),
});

const ROLES: Readonly<Record<string, ChatRole>> = {
  OWNER: 'broadcaster',
  MODERATOR: 'moderator',
  VERIFIED: 'verified',
};

/**
 * What an action of the site's chat says as a message: null when it is not what it should be, undefined when it says
 * nothing. YouTube does not document it; the names are those of the site's own answers.
 * @param receivedAt epoch ms
 */
export function toDraft(action: unknown, receivedAt: number): ChatDraft | null | undefined {
  const { data } = Action.safeParse(action);
  if (data === undefined) return null;
  const messageId = (data.removeChatItemAction ?? data.markChatItemAsDeletedAction)?.targetItemId;
  const userId = (data.removeChatItemByAuthorAction ?? data.markChatItemsByAuthorAsDeletedAction)?.externalChannelId;
  const nobody = { userId: '', username: '', roles: [], text: '', sentAt: null, kind: 'deleted' as const };
  if (messageId !== undefined) return { ...nobody, externalId: `deleted:${messageId}`, target: { messageId } };
  if (userId !== undefined) return { ...nobody, externalId: `cleared:${userId}:${receivedAt}`, target: { userId } };
  if (data.addChatItemAction === undefined) return undefined;
  const [kind = '', raw] = Object.entries(data.addChatItemAction.item)[0] ?? [];
  switch (kind) {
    case 'liveChatTextMessageRenderer':
    case 'liveChatPaidMessageRenderer':
    case 'liveChatPaidStickerRenderer':
    case 'liveChatMembershipItemRenderer':
      return toMessage(kind, raw);
    default:
      return undefined;
  }
}

function toMessage(kind: string, raw: unknown): ChatDraft | null {
  const { data } = Renderer.safeParse(raw);
  if (data === undefined) return null;
  const { message, headerSubtext, purchaseAmountText, timestampUsec } = data;
  const base = {
    externalId: data.id,
    userId: data.authorExternalChannelId ?? '',
    username: bodyOf(data.authorName).text,
    roles: data.authorBadges.flatMap(({ liveChatAuthorBadgeRenderer: badge }): ChatRole[] => {
      const name = badge.icon?.iconType ?? '';
      if (Object.hasOwn(ROLES, name)) return [ROLES[name] as ChatRole];
      // Members have a picture of the channel's own.
      return badge.customThumbnail === undefined ? [] : ['subscriber'];
    }),
    sentAt: timestampUsec === undefined ? null : Number(timestampUsec) / 1_000,
  };
  if (kind === 'liveChatMembershipItemRenderer') {
    return { ...base, ...bodyOf(message ?? headerSubtext), kind: 'system' };
  }
  if (kind === 'liveChatTextMessageRenderer') {
    if (message === undefined || base.userId === '') return null;
    return { ...base, ...bodyOf(message), kind: 'text' };
  }
  const tip = moneyOf(bodyOf(purchaseAmountText).text);
  return { ...base, ...bodyOf(message), kind: 'tip', ...(tip === null ? {} : { tip }) };
}

/** Emoji of the channel are emotes and read by their names; the others are characters. */
function bodyOf(text: z.infer<typeof Text> | undefined): { text: string; fragments?: ChatFragment[] } {
  if (text?.runs === undefined) return { text: text?.simpleText ?? '' };
  const fragments = text.runs.map(({ text: words = '', emoji }): ChatFragment => {
    if (emoji === undefined) return { type: 'text', text: words };
    if (emoji.isCustomEmoji !== true) return { type: 'text', text: emoji.emojiId };
    return { type: 'emote', text: emoji.shortcuts?.[0] ?? '', emoteId: emoji.emojiId };
  });
  const body = { text: fragments.map((fragment) => fragment.text).join('') };
  return fragments.some(({ type }) => type === 'emote') ? { ...body, fragments } : body;
}

/** An amount as it is shown in English: `CA$1,234.50`. */
function moneyOf(shown: string): { amount: number; currency: string } | null {
  const [, currency = '', digits = ''] =
    /^([^\d]{1,10}?)\s?(\d[\d,]{0,15}(?:\.\d{1,3})?)$/.exec(shown.slice(0, 40)) ?? [];
  return digits === '' ? null : { amount: Number(digits.replaceAll(',', '')), currency: currency.trim() };
}
