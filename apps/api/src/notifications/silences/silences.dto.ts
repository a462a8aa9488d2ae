import { z } from 'zod';
import { PageQuery, pageOf } from '../../http/pagination.js';
import { QueryFlag } from '../../http/params.js';
import type { SilenceRow } from './silences.repository.js';

const Reason = z.string().trim().min(1).max(500).meta({ example: 'Rehearsal until noon.' });
const Ends = z.iso.datetime({ offset: true });

export const SilenceView = z
  .object({
    id: z.uuid(),
    streamId: z.uuid().nullable(),
    ruleId: z.uuid().nullable(),
    label: z.string().nullable(),
    startsAt: z.iso.datetime(),
    endsAt: z.iso.datetime(),
    reason: z.string(),
    createdBy: z.uuid().nullable(),
    createdAt: z.iso.datetime(),
  })
  .meta({ id: 'Silence' });
export type SilenceView = z.infer<typeof SilenceView>;

export const SilencePage = pageOf(SilenceView, 'SilencePage');

export const SilenceQuery = PageQuery.extend({
  active: QueryFlag.optional().describe('`true`: only those that have not ended.'),
});
export type SilenceQuery = z.infer<typeof SilenceQuery>;

export const CreateSilenceRequest = z
  .strictObject({
    streamId: z.uuid().nullable().default(null),
    ruleId: z.uuid().nullable().default(null),
    label: z.string().trim().min(1).max(200).nullable().default(null),
    startsAt: Ends.optional().describe('Now when left out.'),
    endsAt: Ends,
    reason: Reason,
  })
  .refine(({ streamId, ruleId, label }) => streamId !== null || ruleId !== null || label !== null, {
    message: 'Name a stream, a rule or a label.',
    path: ['streamId'],
  })
  .refine(({ startsAt, endsAt }) => Date.parse(endsAt) > (startsAt === undefined ? Date.now() : Date.parse(startsAt)), {
    message: 'must come after the start, and not be over already',
    path: ['endsAt'],
  })
  .meta({
    id: 'CreateSilenceRequest',
    example: { label: 'person', endsAt: '2099-01-01T12:00:00Z', reason: 'Rehearsal until noon.' },
  });
export type CreateSilenceRequest = z.infer<typeof CreateSilenceRequest>;

export const UpdateSilenceRequest = z
  .strictObject({ endsAt: Ends.optional(), reason: Reason.optional() })
  .meta({ id: 'UpdateSilenceRequest' });
export type UpdateSilenceRequest = z.infer<typeof UpdateSilenceRequest>;

export function viewOf(row: SilenceRow): SilenceView {
  const { startsAt, endsAt, createdAt, ...rest } = row;
  return {
    ...rest,
    startsAt: startsAt.toISOString(),
    endsAt: endsAt.toISOString(),
    createdAt: createdAt.toISOString(),
  };
}
