import { Inject, Injectable } from '@nestjs/common';
import { ChatMarks } from '#libs/bus/chat-marks.js';
import { ChatRelay } from '#libs/bus/chat-relay.js';
import { within } from '#libs/bus/deadline.js';
import type { RedisConnection } from '#libs/bus/redis.js';
import type { ChatMessage } from '#libs/contracts/chat.js';
import { AppError } from '#libs/errors/app-error.js';
import { BUS_REDIS } from '../bus/bus.module.js';
import type { PushChatResult } from './chat.dto.js';

/** Redis is waited for so long at most, ms. */
const PATIENCE_MS = 2_000;
/** Batches of one stream that wait for their turn at most. */
const MOST_WAITING = 20;

interface Turns {
  waiting: number;
  last: Promise<unknown>;
}

/**
 * Takes messages of a chat in, each once: batches of one stream go one after another, and what was taken is remembered
 * beyond this process. Should two processes take the same message in the same moment, or Redis forget, then it is
 * relayed twice, and the session that reads it knows it by its id.
 */
@Injectable()
export class ChatIntake {
  private readonly turns = new Map<string, Turns>();

  constructor(
    private readonly relay: ChatRelay,
    private readonly marks: ChatMarks,
    @Inject(BUS_REDIS) private readonly redis: RedisConnection,
  ) {}

  /** @throws AppError `redis.unavailable`: nothing was taken then; `chat.push.too_many`. */
  take(streamId: string, messages: readonly ChatMessage[]): Promise<PushChatResult> {
    return this.inTurn(streamId, () => this.asking(() => this.relayNew(streamId, messages)));
  }

  private async relayNew(streamId: string, messages: readonly ChatMessage[]): Promise<PushChatResult> {
    const now = Date.now();
    const byId = new Map<string, ChatMessage>();
    for (const message of messages) if (!byId.has(message.externalId)) byId.set(message.externalId, message);
    for (const id of await this.marks.taken(streamId, [...byId.keys()], now)) byId.delete(id);
    if (byId.size > 0) {
      await this.relay.publish(streamId, [...byId.values()]);
      // They are on their way: what cannot be remembered is at worst relayed twice.
      await this.marks.mark(streamId, [...byId.keys()], now).catch(() => undefined);
    }
    return { accepted: byId.size, duplicates: messages.length - byId.size };
  }

  private async inTurn<T>(streamId: string, work: () => Promise<T>): Promise<T> {
    const turns = this.turns.get(streamId) ?? { waiting: 0, last: Promise.resolve() };
    if (turns.waiting >= MOST_WAITING) {
      throw new AppError('chat.push.too_many', 'user', 'Too many batches at once: send the next after an answer.');
    }
    turns.waiting += 1;
    this.turns.set(streamId, turns);
    const done = turns.last.then(work);
    turns.last = done.catch(() => undefined);
    try {
      return await done;
    } finally {
      turns.waiting -= 1;
      if (turns.waiting === 0) this.turns.delete(streamId);
    }
  }

  private async asking<T>(work: () => Promise<T>): Promise<T> {
    if (this.redis.status !== 'ready') throw redisAway();
    try {
      return await within(PATIENCE_MS, work());
    } catch (error) {
      throw error instanceof AppError ? error : redisAway(error);
    }
  }
}

function redisAway(cause?: unknown): AppError {
  return new AppError('redis.unavailable', 'operational', 'Redis is away: send it again soon.', {}, { cause });
}
