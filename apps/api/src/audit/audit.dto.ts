import { z } from 'zod';
import { PageQuery, pageOf } from '../http/pagination.js';
import type { AuditEntryEntity } from './audit-entry.entity.js';

const Fields = z.record(z.string(), z.unknown()).nullable();

export const AuditEntry = z
  .object({
    id: z.uuid(),
    at: z.iso.datetime(),
    actorId: z.uuid().nullable().describe('Null for the system itself and for who was not signed in.'),
    actorName: z.string().meta({ example: 'admin' }),
    action: z.string().meta({ example: 'stream.updated' }),
    targetType: z.string().meta({ example: 'stream' }),
    targetId: z.string(),
    targetName: z.string().meta({ example: 'Main stage' }),
    before: Fields.describe('The fields that changed, as they were; secrets are redacted.'),
    after: Fields.describe('The fields that changed, as they are.'),
    requestId: z.string().nullable().describe('`X-Request-Id` of the request.'),
    address: z.string().nullable(),
  })
  .meta({ id: 'AuditEntry' });
export type AuditEntry = z.infer<typeof AuditEntry>;

export const AuditPage = pageOf(AuditEntry, 'AuditPage');

export const AuditQuery = PageQuery.extend({
  actorId: z.uuid().optional().describe('Only what this user did.'),
  action: z.string().min(1).max(100).optional().describe('Only this action, e.g. `stream.updated`.'),
  targetType: z.string().min(1).max(50).optional().describe('Only what was done to this type, e.g. `stream`.'),
  targetId: z.string().min(1).max(100).optional().describe('Only what was done to this one.'),
  from: z.iso.datetime({ offset: true }).optional().describe('Only at or after this instant.'),
  to: z.iso.datetime({ offset: true }).optional().describe('Only before this instant.'),
});
export type AuditQuery = z.infer<typeof AuditQuery>;

export function viewOf({ seq: _seq, at, ...entry }: AuditEntryEntity): AuditEntry {
  return { ...entry, at: at.toISOString() };
}
