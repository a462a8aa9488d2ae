import { createPublicKey, verify } from 'node:crypto';
import { z } from 'zod';
import type { ChatFragment, ChatMessage, ChatRole } from '#libs/contracts/chat.js';
import { AppError } from '#libs/errors/app-error.js';

/** A message as Kick tells it; the rest is known by who asked for it. */
export type KickWebhookChat = Omit<ChatMessage, 'platform' | 'streamId' | 'receivedAt' | 'sentAt'> & {
  /** Epoch ms; null when Kick does not say. */
  sentAt: number | null;
};

/** A webhook of Kick that is what it says. */
export interface KickWebhook {
  /** The same for every delivery of one event: take it once. */
  messageId: string;
  /** `chat.message.sent`, or one of the events that were not asked for. */
  type: string;
  /** What was said and in whose channel; null when the event says nothing. */
  message: { broadcasterSlug: string; chat: KickWebhookChat } | null;
}

/** A request as it came. */
export interface KickWebhookRequest {
  /** Names in lower case, as node gives them. */
  headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Every byte of the body: the signature is over them, not over what a parser made of them. */
  rawBody: Uint8Array;
  /** PEM, as `KickPublicKey` gives it. */
  publicKey: string;
  /** Epoch ms. */
  now: number;
}

/** A delivery may be so old or so far ahead, ms. Kick tries three times; what is older was recorded by somebody. */
export const KICK_WINDOW_MS = 5 * 60_000;

const Headers = z.object({
  'kick-event-message-id': z.string().regex(/^[A-Za-z0-9_-]{1,100}$/),
  'kick-event-message-timestamp': z.string().min(1).max(64),
  'kick-event-signature': z.string().regex(/^[A-Za-z0-9+/]{1,2000}={0,2}$/),
  'kick-event-type': z.string().min(1).max(100),
});
const Slug = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/);
const ChatSent = z.object({
  message_id: z.string().min(1).max(200),
  broadcaster: z.object({ channel_slug: Slug }),
  sender: z.object({
    user_id: z.union([z.number().int(), z.string().max(200)]).transform(String),
    username: z.string().max(200),
    identity: z
      .object({
        badges: z
          .array(z.object({ type: z.string() }))
          .max(50)
          .catch([]),
      })
      .nullish()
      .catch(undefined),
  }),
  content: z.string().max(4_096),
  created_at: z.string().optional().catch(undefined),
});

const ROLES: Readonly<Record<string, ChatRole>> = {
  ...{ broadcaster: 'broadcaster', moderator: 'moderator', vip: 'vip', og: 'vip' },
  ...{ subscriber: 'subscriber', founder: 'subscriber', staff: 'staff', verified: 'verified' },
};
const EMOTE = /\[emote:(\d{1,20}):([^\]\s]{0,100})\]/g;

/**
 * Checks that a webhook was signed by Kick (RSA-SHA256, PKCS #1 v1.5, over `messageId.timestamp.rawBody`;
 * docs.kick.com, "Webhooks") a moment ago, and reads it. That it was not taken before is for the caller to know, by
 * `messageId`.
 * @throws AppError `kick.signature.unauthorized` when it is not Kick's or not of now; `kick.body` when it cannot be read
 */
export function verifyKickWebhook({ headers, rawBody, publicKey, now }: KickWebhookRequest): KickWebhook {
  const { data: head } = Headers.safeParse(headers);
  if (head === undefined) throw refused('The headers of Kick are missing or not valid.');
  const messageId = head['kick-event-message-id'];
  const timestamp = head['kick-event-message-timestamp'];
  const sentAt = Date.parse(timestamp);
  if (!(Math.abs(now - sentAt) <= KICK_WINDOW_MS))
    throw refused('The time of the webhook is not now: check the clock.');
  const signed = Buffer.concat([Buffer.from(`${messageId}.${timestamp}.`), rawBody]);
  if (!isSigned(signed, publicKey, head['kick-event-signature'])) throw refused('The signature is not that of Kick.');
  const type = head['kick-event-type'];
  return { messageId, type, message: type === 'chat.message.sent' ? chatOf(rawBody) : null };
}

function isSigned(signed: Buffer, publicKey: string, signature: string): boolean {
  const key = createPublicKey(publicKey);
  // Another kind of key would verify another kind of signature.
  if (key.asymmetricKeyType !== 'rsa')
    throw new AppError('kick.key', 'operational', 'The public key of Kick is no RSA key.');
  return verify('RSA-SHA256', signed, key, Buffer.from(signature, 'base64'));
}

function chatOf(rawBody: Uint8Array): NonNullable<KickWebhook['message']> {
  const { data } = ChatSent.safeParse(parseJson(Buffer.from(rawBody).toString()));
  if (data === undefined) throw new AppError('kick.body', 'user', 'The body is no chat.message.sent event of Kick.');
  const { sender } = data;
  const sentAt = Date.parse(data.created_at ?? '');
  return {
    broadcasterSlug: data.broadcaster.channel_slug.toLowerCase(),
    chat: {
      ...{ externalId: data.message_id, userId: sender.user_id, username: sender.username },
      roles: rolesOf((sender.identity?.badges ?? []).map(({ type }) => type)),
      ...bodyOf(data.content),
      ...{ sentAt: Number.isNaN(sentAt) ? null : sentAt, kind: 'text' },
    },
  };
}

function rolesOf(badges: readonly string[]): ChatRole[] {
  const roles = badges.flatMap((type) => (Object.hasOwn(ROLES, type) ? [ROLES[type] as ChatRole] : []));
  return [...new Set(roles)].slice(0, 8);
}

/** Emotes stand in the text as `[emote:37226:KEKW]`; people read their names. */
function bodyOf(content: string): { text: string; fragments?: ChatFragment[] } {
  const fragments: ChatFragment[] = [];
  let at = 0;
  for (const match of content.matchAll(EMOTE)) {
    const [whole, emoteId = '', name = ''] = match;
    if (match.index > at) fragments.push({ type: 'text', text: content.slice(at, match.index) });
    fragments.push({ type: 'emote', text: name, emoteId });
    at = match.index + whole.length;
  }
  if (fragments.length === 0) return { text: content };
  if (at < content.length) fragments.push({ type: 'text', text: content.slice(at) });
  const text = fragments.map((fragment) => fragment.text).join('');
  return fragments.length > 500 ? { text } : { text, fragments };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function refused(message: string): AppError {
  return new AppError('kick.signature.unauthorized', 'user', message);
}
