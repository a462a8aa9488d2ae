import { Inject, Injectable } from '@nestjs/common';
import { AttemptCounter } from '#libs/bus/attempt-counter.js';
import { within } from '#libs/bus/deadline.js';
import { PresenceBoard } from '#libs/bus/presence-board.js';
import type { MessageView, NewMessage } from '#libs/contracts/sockets.js';
import { AttachmentsService } from '../attachments/attachments.service.js';
import { LocalAttempts } from '../auth/login-throttle.js';
import { isForeignKeyViolation } from '../database/constraint-violations.js';
import { TransactionRunner } from '../database/transaction.js';
import { AppEvents } from '../events/app-events.js';
import { decodeCursor, encodeCursor, toPage, type Page } from '../http/pagination.js';
import { UsersService } from '../users/users.service.js';
import type { MessageEntity } from './message.entity.js';
import {
  ConversationPosition,
  Position,
  viewOf,
  type ConversationView,
  type MessageQuery,
  type MessagesRead,
  type UnreadMessages,
} from './messaging.dto.js';
import { clientIdTaken, partnerNotFound, tooManyMessages } from './messaging.errors.js';
import { MessagingRepository, type NewRow } from './messaging.repository.js';

const WINDOW_MS = 60_000;
/** Messages of one user in {@link WINDOW_MS} at most. */
const MOST_MESSAGES = 120;
/** Redis is asked so long who is online; without an answer everybody counts as offline, ms. */
const PATIENCE_MS = 1_000;

/** What users write to each other: each sees only the conversations it takes part in, whatever its role. */
@Injectable()
export class MessagingService {
  private readonly localAttempts = new LocalAttempts();

  constructor(
    private readonly repository: MessagingRepository,
    private readonly attachments: AttachmentsService,
    private readonly users: UsersService,
    private readonly presence: PresenceBoard,
    @Inject(AttemptCounter) private readonly attempts: Pick<AttemptCounter, 'increment'>,
    private readonly transactions: TransactionRunner,
    private readonly events: AppEvents,
  ) {}

  /**
   * Sends a message; with a `clientId` that came before, the message that is there is returned and nobody is told.
   * @throws AppError `message.user.not_found`, `message.client_id.conflict`, `message.too_many`, `attachment.not_found`.
   */
  async send(senderId: string, recipientId: string, message: NewMessage): Promise<MessageView> {
    await this.throttle(senderId);
    const { body, clientId, attachmentIds } = message;
    return this.write({ senderId, recipientId, kind: 'text', clientId, body }, attachmentIds);
  }

  /** Writes in the name of somebody what that user did. @throws AppError `message.user.not_found`. */
  async tell(senderId: string, recipientId: string, body: string): Promise<MessageView> {
    return this.write({ senderId, recipientId, kind: 'system', clientId: null, body }, []);
  }

  /** What two users wrote: newest first, or oldest first after a sequence number. @throws AppError `message.user.not_found`. */
  async history(userId: string, otherId: string, { limit, cursor, after }: MessageQuery): Promise<Page<MessageView>> {
    await this.other(userId, otherId);
    const [direction, seq] = decodeCursor(cursor, Position) ?? (after === undefined ? [] : ['after' as const, after]);
    const rows = await this.repository.list(userId, otherId, {
      before: direction === 'before' ? (seq ?? null) : null,
      after: direction === 'after' ? (seq ?? null) : null,
      limit: limit + 1,
    });
    const views = await this.viewsOf(rows);
    return toPage(
      views,
      limit,
      (view) => [direction ?? 'before', view.seq],
      (view) => view,
    );
  }

  /** The user's conversations, the one with the newest message first. */
  async conversations(userId: string, limit: number, cursor: string | undefined): Promise<Page<ConversationView>> {
    const before = decodeCursor(cursor, ConversationPosition)?.[0] ?? null;
    const rows = await this.repository.conversations(userId, before, limit + 1);
    const kept = rows.slice(0, limit);
    const messages = await this.viewsOf(await this.repository.bySeqs(kept.map(({ lastSeq }) => lastSeq)));
    const last = new Map(messages.map((message) => [message.seq, message]));
    const online = await within(PATIENCE_MS, this.presence.online()).catch(() => new Set<string>());
    const items = kept.flatMap(({ userId: id, username, name, lastSeq, unread }) => {
      const lastMessage = last.get(lastSeq);
      return lastMessage === undefined
        ? []
        : [{ user: { id, username, name }, online: online.has(id), unread, lastMessage }];
    });
    const end = rows.length > limit ? kept.at(-1) : undefined;
    return { items, nextCursor: end === undefined ? null : encodeCursor([end.lastSeq]) };
  }

  /** Marks messages to the user as read; ids of others change nothing. */
  async markRead(userId: string, ids: readonly string[]): Promise<MessagesRead> {
    const readAt = new Date();
    const changed = await this.repository.markRead(userId, ids, readAt);
    for (const senderId of new Set(changed.map(({ by }) => by))) {
      const rows = changed.filter(({ by }) => by === senderId);
      this.events.emit('message.read', {
        ...{ readerId: userId, senderId, ids: rows.map(({ id }) => id), seq: rows.at(-1)?.seq ?? '0' },
        readAt: readAt.toISOString(),
      });
    }
    return { changed: changed.length };
  }

  /** Marks all messages of the other one as read. @throws AppError `message.user.not_found`. */
  async markConversationRead(userId: string, otherId: string): Promise<MessagesRead> {
    await this.other(userId, otherId);
    const readAt = new Date();
    const { changed, seq } = await this.repository.markAllRead(userId, otherId, readAt);
    if (seq !== null) {
      const read = { readerId: userId, senderId: otherId, ids: null, seq, readAt: readAt.toISOString() };
      this.events.emit('message.read', read);
    }
    return { changed };
  }

  /** Puts the conversation away on the user's side alone. @throws AppError `message.user.not_found`. */
  async putAway(userId: string, otherId: string): Promise<void> {
    await this.other(userId, otherId);
    await this.repository.putAway(userId, otherId);
    this.events.emit('conversation.put_away', { userId });
  }

  async countUnread(userId: string): Promise<UnreadMessages> {
    return { messages: (await this.repository.countUnreadOf([userId])).get(userId) ?? 0 };
  }

  /** Unread messages of each of these users; who has none is left out. */
  countUnreadOf(userIds: readonly string[]): Promise<Map<string, number>> {
    return this.repository.countUnreadOf(userIds);
  }

  /** With whom each of these users has a conversation, of those named. */
  partnersOf(userIds: readonly string[], among: readonly string[]): Promise<Map<string, string[]>> {
    return this.repository.partnersOf(userIds, among);
  }

  private async write(row: NewRow, attachmentIds: readonly string[]): Promise<MessageView> {
    await this.other(row.senderId, row.recipientId, true);
    const written = await this.transactions
      .run(async (tx) => {
        const result = await this.repository.insert(tx, row);
        if (result?.created === true) await this.attachments.claim(tx, row.senderId, result.row.id, attachmentIds);
        return result;
      })
      .catch((error: unknown) => {
        // The other one was removed meanwhile.
        throw isForeignKeyViolation(error) ? partnerNotFound() : error;
      });
    if (written?.row.recipientId !== row.recipientId || written.row.body !== row.body) throw clientIdTaken();
    const [view] = await this.viewsOf([written.row]);
    if (view === undefined) throw partnerNotFound();
    if (written.created) this.events.emit('message.sent', view);
    return view;
  }

  private async other(userId: string, otherId: string, mayRead = false): Promise<void> {
    const other = userId === otherId ? null : await this.users.find(otherId);
    if (other === null || (mayRead && other.disabledAt !== null)) throw partnerNotFound();
  }

  private async viewsOf(rows: readonly MessageEntity[]): Promise<MessageView[]> {
    const attached = await this.attachments.ofMessages(rows.map(({ id }) => id));
    return rows.map((row) => viewOf(row, attached.get(row.id) ?? []));
  }

  private async throttle(userId: string): Promise<void> {
    const key = `messages:${userId}`;
    const { count, resetMs } = await this.attempts
      .increment(key, WINDOW_MS)
      .catch(() => this.localAttempts.increment(key, WINDOW_MS));
    if (count > MOST_MESSAGES) throw tooManyMessages(resetMs / 1_000);
  }
}
