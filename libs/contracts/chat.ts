import { z } from 'zod';
import { EpochMs } from './primitives.js';

/** Longest text of one message, UTF-16 units; what is longer was cut. */
export const CHAT_TEXT_LIMIT = 4_096;

/** What an author is to the room, in words that every platform shares. */
export const ChatRole = z
  .enum(['broadcaster', 'moderator', 'vip', 'subscriber', 'staff', 'verified'])
  .meta({ id: 'ChatRole' });
export type ChatRole = z.infer<typeof ChatRole>;

/** A stretch of a message. All of them in a row give its text. */
export const ChatFragment = z
  .object({
    type: z.enum(['text', 'emote']),
    text: z.string().max(CHAT_TEXT_LIMIT),
    emoteId: z.string().max(200).optional(),
  })
  .meta({ id: 'ChatFragment' });
export type ChatFragment = z.infer<typeof ChatFragment>;

/**
 * - `text`: somebody wrote; `tip`: somebody gave, with or without words;
 * - `system`: the platform says something of the room, or of a user whose words may follow;
 * - `deleted`: what `target` names was taken back.
 */
export const ChatMessageKind = z.enum(['text', 'tip', 'system', 'deleted']).meta({ id: 'ChatMessageKind' });
export type ChatMessageKind = z.infer<typeof ChatMessageKind>;

/** One line of chat, the same whatever platform it comes from. `platform` and `externalId` name it for ever. */
export const ChatMessage = z
  .object({
    platform: z.string().min(1).max(31),
    streamId: z.uuid(),
    externalId: z.string().min(1).max(200),
    /** The platform's own id of the author; empty when nobody in particular speaks. */
    userId: z.string().max(200),
    username: z.string().max(200),
    roles: z.array(ChatRole).max(8),
    text: z.string().max(CHAT_TEXT_LIMIT),
    fragments: z.array(ChatFragment).max(500).optional(),
    /** As the platform says; when it does not say, or says something impossible, the same as `receivedAt`. */
    sentAt: EpochMs,
    receivedAt: EpochMs,
    kind: ChatMessageKind,
    /** What was given, in whole units of the currency or of the platform's own (`bits`, `tokens`). */
    tip: z.object({ amount: z.number().nonnegative(), currency: z.string().max(20) }).optional(),
    /** What was deleted: one message, all of one user, or with neither the whole chat. */
    target: z.object({ messageId: z.string().max(200).optional(), userId: z.string().max(200).optional() }).optional(),
  })
  .meta({ id: 'ChatMessage' });
export type ChatMessage = z.infer<typeof ChatMessage>;

/** What is kept of a message around a find. */
export const ChatLine = ChatMessage.pick({
  platform: true,
  externalId: true,
  userId: true,
  username: true,
  roles: true,
  text: true,
  sentAt: true,
  kind: true,
}).meta({ id: 'ChatLine' });
export type ChatLine = z.infer<typeof ChatLine>;

/** Messages that the owner of a chat sent in, on their way to the session that watches the stream. */
export const ChatPush = z.object({ v: z.literal(1), messages: z.array(ChatMessage).min(1).max(500) });
export type ChatPush = z.infer<typeof ChatPush>;

/**
 * How the chat of a stream is doing: `idle` (not followed), `connecting` (first try), `live`, `degraded` (lost, tried
 * again), `auth_failed` (refused; a person must change something), `offline` (the platform has no chat for it now;
 * tried again, slowly).
 */
export const ChatState = z
  .enum(['idle', 'connecting', 'live', 'degraded', 'auth_failed', 'offline'])
  .meta({ id: 'ChatState' });
export type ChatState = z.infer<typeof ChatState>;

/** The state with its reason. `silent`: connected, the picture is live, and yet nobody has written for minutes. */
export const ChatStatus = z
  .object({ state: ChatState, detail: z.string().max(500), since: EpochMs, silent: z.boolean() })
  .meta({ id: 'ChatStatus' });
export type ChatStatus = z.infer<typeof ChatStatus>;

/** Counts since the chat was first followed. */
export const ChatFigures = z
  .object({
    /** Messages handed on. */
    received: z.number().int().nonnegative(),
    /** Messages that came twice. */
    duplicates: z.number().int().nonnegative(),
    /** Messages that gave way to newer ones before they were read. */
    dropped: z.number().int().nonnegative(),
    /** Frames or parts of them that could not be understood. */
    garbage: z.number().int().nonnegative(),
    /** Messages that were cut to {@link CHAT_TEXT_LIMIT}. */
    truncated: z.number().int().nonnegative(),
    /** Connections after the first. */
    reconnects: z.number().int().nonnegative(),
    lastMessageAt: EpochMs.nullable(),
  })
  .meta({ id: 'ChatFigures' });
export type ChatFigures = z.infer<typeof ChatFigures>;
