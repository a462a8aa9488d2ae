import { Injectable } from '@nestjs/common';
import type { ChatMessage } from '#libs/contracts/chat.js';
import { AppError } from '#libs/errors/app-error.js';
import { StreamsService } from '../streams/streams.service.js';
import type { PushChatRequest, PushChatResult, PushedMessage } from './chat.dto.js';
import { ChatIntake } from './chat-intake.js';
import type { KickWebhook } from './kick-webhook.js';

/** Clocks of others are good; what lies further ahead than this is nonsense, ms. */
const AHEAD_MS = 60_000;

/** Chat that is sent in by whoever owns it. */
@Injectable()
export class ChatService {
  constructor(
    private readonly streams: StreamsService,
    private readonly intake: ChatIntake,
  ) {}

  /**
   * @throws AppError `stream.not_found`; `stream.not_monitored.conflict`, `stream.chat_not_watched.conflict` when
   * nobody would read it; `redis.unavailable`, `chat.push.too_many`.
   */
  async push(streamId: string, { messages }: PushChatRequest): Promise<PushChatResult> {
    const { id, desired, parts, chat } = await this.streams.known(streamId);
    if (!desired) {
      throw new AppError(
        'stream.not_monitored.conflict',
        'user',
        'This stream is not monitored, so nobody would read its chat: start it, then send again.',
      );
    }
    if (!parts.includes('chat')) {
      throw new AppError(
        'stream.chat_not_watched.conflict',
        'user',
        'The chat of this stream is not watched: add `chat` to its parts, then send again.',
      );
    }
    const receivedAt = Date.now();
    const platform = chat?.platform ?? 'push';
    return this.intake.take(
      id,
      messages.map((message) => messageOf(message, { platform, streamId: id, receivedAt })),
    );
  }

  /** Hands a verified webhook of Kick to every monitored stream that has that room. @throws AppError as {@link push}. */
  async kick({ message }: KickWebhook): Promise<PushChatResult> {
    const result = { accepted: 0, duplicates: 0 };
    if (message === null) return result;
    const receivedAt = Date.now();
    const { sentAt, ...chat } = message.chat;
    for (const { id: streamId } of await this.streams.withChat('kick', message.broadcasterSlug)) {
      const sent = believable(sentAt ?? receivedAt, receivedAt);
      const taken = await this.intake.take(streamId, [
        { ...chat, platform: 'kick', streamId, sentAt: sent, receivedAt },
      ]);
      result.accepted += taken.accepted;
      result.duplicates += taken.duplicates;
    }
    return result;
  }
}

function messageOf(
  { id, userId, username, text, sentAt, roles }: PushedMessage,
  context: Pick<ChatMessage, 'platform' | 'streamId' | 'receivedAt'>,
): ChatMessage {
  const told = typeof sentAt === 'string' ? Date.parse(sentAt) : (sentAt ?? context.receivedAt);
  const written = believable(told, context.receivedAt);
  return {
    ...context,
    externalId: id,
    userId,
    username,
    text,
    roles: roles.slice(0, 8),
    sentAt: written,
    kind: 'text',
  };
}

function believable(sentAt: number, receivedAt: number): number {
  return sentAt >= 0 && sentAt <= receivedAt + AHEAD_MS ? sentAt : receivedAt;
}
