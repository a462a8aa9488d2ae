import { Inject, Injectable } from '@nestjs/common';
import type { z } from 'zod';
import { ROOMS } from '#libs/contracts/names.js';
import { MESSAGE_CLIENT_EVENTS, type SocketAnswer } from '#libs/contracts/sockets.js';
import { AppError, messageOf } from '#libs/errors/app-error.js';
import type { Logger } from '#libs/observability/logger.js';
import { invalidRequest } from '../http/validation.js';
import { MessagingService } from '../messaging/messaging.service.js';
import { LOGGER } from '../runtime.module.js';
import { SocketCounters } from './socket-counters.js';
import type { MessagesNamespace, MessagesSocket } from './socket-types.js';
import { TokenBucket } from './token-bucket.js';

/** Notices of typing that one socket may send; those beyond are dropped without a word. */
const TYPING_RATE = { capacity: 6, perSecond: 1 };
/** Conversations that a socket is known to take part in at most. */
const MOST_PARTNERS = 100;

type EventName = keyof typeof MESSAGE_CLIENT_EVENTS;
type Payload<Name extends EventName> = z.output<(typeof MESSAGE_CLIENT_EVENTS)[Name]>;
type Outcome = Extract<SocketAnswer, { ok: true }>;

/** Takes what clients send on `/messages`: checked by the contract, done by the same service as REST. */
@Injectable()
export class MessageInbox {
  constructor(
    private readonly messaging: MessagingService,
    private readonly counters: SocketCounters,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** Listens to a socket until it closes. */
  attend(namespace: MessagesNamespace, socket: MessagesSocket): void {
    const userId = socket.data.user.id;
    const typing = new TokenBucket(TYPING_RATE);
    const partners = new Set<string>();
    this.take(socket, 'message', async ({ userId: recipientId, message }) => ({
      ok: true,
      message: await this.messaging.send(userId, recipientId, message),
    }));
    this.take(socket, 'message_read', async ({ ids }) => {
      await this.messaging.markRead(userId, ids);
      return { ok: true };
    });
    this.take(socket, 'typing', async (notice) => {
      if (!typing.take()) {
        this.counters.add('typing_dropped');
        return { ok: true };
      }
      if (!partners.has(notice.userId)) {
        // Nobody is shown that a stranger writes.
        if (!(await this.messaging.partnersOf([userId], [notice.userId])).has(userId)) return { ok: true };
        if (partners.size < MOST_PARTNERS) partners.add(notice.userId);
      }
      const at = new Date().toISOString();
      namespace.to(ROOMS.user(notice.userId)).emit('typing', { userId, typing: notice.typing, at });
      return { ok: true };
    });
  }

  private take<Name extends EventName>(
    socket: MessagesSocket,
    name: Name,
    work: (payload: Payload<Name>) => Promise<Outcome>,
  ): void {
    const listen = socket as unknown as { on(event: string, listener: (...sent: unknown[]) => void): void };
    listen.on(name, (sent, answer) => {
      this.outcome(name, sent, work).then(
        (outcome) => {
          if (typeof answer === 'function') (answer as (outcome: SocketAnswer) => void)(outcome);
        },
        () => undefined,
      );
    });
  }

  private async outcome<Name extends EventName>(
    name: Name,
    sent: unknown,
    work: (payload: Payload<Name>) => Promise<Outcome>,
  ): Promise<SocketAnswer> {
    try {
      const parsed = MESSAGE_CLIENT_EVENTS[name].safeParse(sent);
      if (parsed.success) return await work(parsed.data as Payload<Name>);
      this.counters.add('invalid');
      throw invalidRequest(parsed.error.issues);
    } catch (error) {
      if (error instanceof AppError && error.kind !== 'unexpected') {
        return { ok: false, error: { code: error.code, detail: error.message } };
      }
      this.logger.error({ event: name, fault: messageOf(error) }, 'what a client sent could not be done');
      return {
        ok: false,
        error: { code: 'server.unexpected', detail: 'Something went wrong on our side: try again.' },
      };
    }
  }
}
