import { z } from 'zod';
import { pageOf } from '../../http/pagination.js';
import type { DeliveryRow } from './deliveries.repository.js';
import { DeliveryLogEntry, DeliveryState } from './delivery.js';

export const DeliveryView = z
  .object({
    id: z.uuid(),
    kind: z.enum(['single', 'digest']),
    channel: z.string(),
    userId: z.uuid().nullable().describe('Null for a global webhook.'),
    endpointId: z.uuid().nullable(),
    alertId: z.uuid().nullable(),
    notificationId: z.uuid().nullable(),
    state: DeliveryState,
    attempts: z.array(DeliveryLogEntry).describe('The last 50, oldest first.'),
    dueAt: z.iso.datetime().describe('When it is, or was, due to be sent.'),
    finishedAt: z.iso.datetime().nullable(),
    createdAt: z.iso.datetime(),
  })
  .meta({ id: 'Delivery' });
export type DeliveryView = z.infer<typeof DeliveryView>;

export const DeliveryList = z.object({ items: z.array(DeliveryView) }).meta({ id: 'DeliveryList' });
export type DeliveryList = z.infer<typeof DeliveryList>;

export const DeliveryPage = pageOf(DeliveryView, 'DeliveryPage');

export const RedriveRequest = z
  .strictObject({
    ids: z.array(z.uuid()).min(1).max(1_000).optional().describe('Those to drive anew; the first 1,000 when left out.'),
  })
  .meta({ id: 'RedriveRequest' });
export type RedriveRequest = z.infer<typeof RedriveRequest>;

export const RedriveResult = z.object({ redriven: z.number().int() }).meta({ id: 'RedriveResult' });
export type RedriveResult = z.infer<typeof RedriveResult>;

export function viewOf(row: DeliveryRow): DeliveryView {
  const { id, kind, channel, userId, endpointId, alertId, notificationId, state, log } = row;
  return {
    ...{ id, kind, channel, userId, endpointId, alertId, notificationId, state, attempts: log },
    dueAt: row.dueAt.toISOString(),
    finishedAt: row.finishedAt?.toISOString() ?? null,
    createdAt: row.createdAt.toISOString(),
  };
}
