import { Severity } from '#libs/contracts/primitives.js';
import { NotificationView } from '#libs/contracts/sockets.js';
import { z } from 'zod';
import { PageQuery, pageOf } from '../http/pagination.js';
import { QueryFlag } from '../http/params.js';
import type { NotificationEntity } from './notification.entity.js';

export const NotificationPage = pageOf(NotificationView, 'NotificationPage');

/** A row as its recipient sees it. */
export function viewOf(row: NotificationEntity): NotificationView {
  return {
    id: row.id,
    seq: row.seq,
    kind: row.kind,
    title: row.title,
    body: row.body,
    severity: row.severity,
    streamId: row.streamId,
    detectionId: row.detectionId,
    alertId: row.alertId,
    count: row.count,
    suppressed: row.suppressed,
    silenced: row.silenced,
    lastAt: row.lastAt.toISOString(),
    acknowledgedAt: row.acknowledgedAt?.toISOString() ?? null,
    senderId: row.senderId,
    note: row.note,
    createdAt: row.createdAt.toISOString(),
    readAt: row.readAt?.toISOString() ?? null,
  };
}

/** A sequence number as clients hold it: a 64-bit number in text. */
const Seq = z.string().regex(/^\d{1,18}$/, 'must be a `seq`');

export const NotificationQuery = PageQuery.extend({
  unread: QueryFlag.optional().describe('`true`: only those that were not read yet.'),
  after: Seq.optional().describe(
    '`seq` of the last one you have: lists what came since, oldest first, to catch up after a lost connection.',
  ),
});
export type NotificationQuery = z.infer<typeof NotificationQuery>;

/** Position in a list: the way it runs, and the sequence number of the last item. */
export const Position = z.tuple([z.enum(['before', 'after']), Seq]);

export const UnreadCount = z.object({ notifications: z.number().int() }).meta({ id: 'UnreadCount' });
export type UnreadCount = z.infer<typeof UnreadCount>;

export const ReadAllResult = z
  .object({ changed: z.number().int().describe('How many were unread before.') })
  .meta({ id: 'ReadAllResult' });
export type ReadAllResult = z.infer<typeof ReadAllResult>;

/** Users that are told at once at most. */
const MOST_USERS = 500;
const UserIds = z.array(z.uuid()).min(1).max(MOST_USERS);

export const SendNotificationRequest = z
  .strictObject({
    userIds: UserIds.optional().describe('Those to tell; or give `role`.'),
    role: z.enum(['admin', 'agent']).optional().describe('Tell everybody of this role; or give `userIds`.'),
    title: z.string().trim().min(1).max(200).meta({ example: 'Shift change' }),
    body: z.string().trim().max(4_000).default(''),
    severity: Severity.default('info'),
  })
  .refine(({ userIds, role }) => (userIds === undefined) !== (role === undefined), {
    message: 'Give either `userIds` or `role`.',
    path: ['userIds'],
  })
  .meta({
    id: 'SendNotificationRequest',
    example: { role: 'agent', title: 'Shift change', body: 'The night shift takes over at ten.' },
  });
export type SendNotificationRequest = z.infer<typeof SendNotificationRequest>;

export const ForwardRequest = z
  .strictObject({ userIds: UserIds, note: z.string().trim().max(2_000).default('') })
  .meta({ id: 'ForwardNotificationRequest' });
export type ForwardRequest = z.infer<typeof ForwardRequest>;

export const UpdateNotificationRequest = z
  .strictObject({ read: z.boolean() })
  .meta({ id: 'UpdateNotificationRequest' });
export type UpdateNotificationRequest = z.infer<typeof UpdateNotificationRequest>;

export const SentResult = z
  .object({ sent: z.number().int().describe('How many were told; who is disabled is left out.') })
  .meta({ id: 'SentResult' });
export type SentResult = z.infer<typeof SentResult>;

export const DeleteQuery = z.object({
  all: QueryFlag.optional().describe("`true`: everybody's, for admins alone; else your own."),
});
export type DeleteQuery = z.infer<typeof DeleteQuery>;

export const DeletedResult = z.object({ deleted: z.number().int() }).meta({ id: 'DeletedResult' });
export type DeletedResult = z.infer<typeof DeletedResult>;
