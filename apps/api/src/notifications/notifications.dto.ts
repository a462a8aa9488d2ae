import { NotificationView } from '#libs/contracts/sockets.js';
import { pageOf } from '../http/pagination.js';
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
    createdAt: row.createdAt.toISOString(),
    readAt: row.readAt?.toISOString() ?? null,
  };
}
