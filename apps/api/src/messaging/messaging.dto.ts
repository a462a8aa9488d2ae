import { z } from 'zod';
import { MessageView, type AttachmentView } from '#libs/contracts/sockets.js';
import { PageQuery, pageOf } from '../http/pagination.js';
import type { MessageEntity } from './message.entity.js';

/** A sequence number as clients hold it: a 64-bit number in text. */
const Seq = z.string().regex(/^\d{1,18}$/, 'must be a `seq`');

export const MessageQuery = PageQuery.extend({
  after: Seq.optional().describe(
    '`seq` of the last one you have: lists what came since, oldest first, to catch up after a lost connection.',
  ),
});
export type MessageQuery = z.infer<typeof MessageQuery>;

/** Position in a history: the way it runs, and the sequence number of the last item. */
export const Position = z.tuple([z.enum(['before', 'after']), Seq]);
/** Position in the list of conversations: the number of the newest message. */
export const ConversationPosition = z.tuple([Seq]);

export const MessagePage = pageOf(MessageView, 'MessagePage');

/** A conversation as one side sees it. */
export const ConversationView = z
  .object({
    user: z.object({ id: z.uuid(), username: z.string(), name: z.string() }).describe('The other one.'),
    online: z.boolean().describe('Whether the other one has a connection open.'),
    unread: z.number().int().describe('How many of the messages to you were not read.'),
    lastMessage: MessageView,
  })
  .meta({ id: 'Conversation' });
export type ConversationView = z.infer<typeof ConversationView>;
export const ConversationPage = pageOf(ConversationView, 'ConversationPage');

export const UnreadMessages = z.object({ messages: z.number().int() }).meta({ id: 'UnreadMessages' });
export type UnreadMessages = z.infer<typeof UnreadMessages>;

export const MessagesRead = z
  .object({ changed: z.number().int().describe('How many were unread before.') })
  .meta({ id: 'MessagesRead' });
export type MessagesRead = z.infer<typeof MessagesRead>;

/** A row as both sides see it. */
export function viewOf(row: MessageEntity, attachments: AttachmentView[]): MessageView {
  return {
    id: row.id,
    seq: row.seq,
    kind: row.kind,
    senderId: row.senderId,
    recipientId: row.recipientId,
    clientId: row.clientId,
    body: row.body,
    attachments,
    sentAt: row.createdAt.toISOString(),
    readAt: row.readAt?.toISOString() ?? null,
  };
}
