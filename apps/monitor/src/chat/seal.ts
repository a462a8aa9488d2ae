import { CHAT_TEXT_LIMIT, type ChatFragment, type ChatMessage } from '#libs/contracts/chat.js';
import type { ChatDraft } from './chat-source.port.js';

const ID_LIMIT = 200;
const FRAGMENT_LIMIT = 500;
/** Clocks of platforms are good; what lies further ahead is nonsense. */
const FUTURE_LIMIT_MS = 5 * 60_000;

/** What every message of one feed has in common. */
export interface SealContext {
  platform: string;
  streamId: string;
  receivedAt: number;
}

/**
 * Makes a draft fit the contract whatever an adapter let through: lengths are held, what no database stores (NUL,
 * lone surrogates) is taken out. Null when it has no id and so cannot be told from others.
 */
export function seal(draft: ChatDraft, context: SealContext): { message: ChatMessage; truncated: boolean } | null {
  const externalId = clean(draft.externalId, ID_LIMIT);
  if (externalId === '') return null;
  const { sentAt, tip, target, fragments } = draft;
  const possible = sentAt !== null && sentAt >= 0 && sentAt <= context.receivedAt + FUTURE_LIMIT_MS;
  const text = clean(draft.text, CHAT_TEXT_LIMIT);
  // Fragments must add up to the text: when it was cut, they do not.
  const truncated = draft.text.length > CHAT_TEXT_LIMIT;
  const kept = fragments !== undefined && !truncated && fragments.length <= FRAGMENT_LIMIT ? fragments : undefined;
  return {
    truncated,
    message: {
      ...context,
      externalId,
      userId: clean(draft.userId, ID_LIMIT),
      username: clean(draft.username, ID_LIMIT),
      roles: [...new Set(draft.roles)].slice(0, 8),
      text,
      ...(kept === undefined ? {} : { fragments: kept.map(cleanFragment) }),
      sentAt: possible ? Math.trunc(sentAt) : context.receivedAt,
      kind: draft.kind,
      ...(tip === undefined || !(tip.amount >= 0) || !Number.isFinite(tip.amount)
        ? {}
        : { tip: { amount: tip.amount, currency: clean(tip.currency, 20) } }),
      ...(target === undefined
        ? {}
        : {
            target: {
              ...(target.messageId === undefined ? {} : { messageId: clean(target.messageId, ID_LIMIT) }),
              ...(target.userId === undefined ? {} : { userId: clean(target.userId, ID_LIMIT) }),
            },
          }),
    },
  };
}

function clean(text: string, limit: number): string {
  return text
    .slice(0, limit)
    .replaceAll('\0', '')
    .replace(/\p{Surrogate}/gu, '\ufffd');
}

function cleanFragment({ type, text, emoteId }: ChatFragment): ChatFragment {
  return {
    type,
    text: clean(text, CHAT_TEXT_LIMIT),
    ...(emoteId === undefined ? {} : { emoteId: clean(emoteId, ID_LIMIT) }),
  };
}
