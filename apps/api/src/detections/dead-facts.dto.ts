import { z } from 'zod';
import { pageOf } from '../http/pagination.js';

/** Names an entry of the stream of dead facts. */
export const DeadFactId = z.string().regex(/^\d{1,20}-\d{1,20}$/, 'must be the id of a dead fact');

export const DeadFactView = z
  .object({
    id: DeadFactId,
    at: z.iso.datetime().describe('When it was put aside.'),
    reason: z.string().describe('Why it could not be stored.'),
    fact: z.string().describe('The fact as it came, its first 4,000 characters.'),
  })
  .meta({ id: 'DeadFact' });
export type DeadFactView = z.infer<typeof DeadFactView>;

export const DeadFactPage = pageOf(DeadFactView, 'DeadFactPage');

export const RedriveFactsRequest = z
  .strictObject({
    ids: z
      .array(DeadFactId)
      .min(1)
      .max(1_000)
      .optional()
      .describe('Those to try anew; the oldest 1,000 when left out.'),
  })
  .meta({ id: 'RedriveFactsRequest', example: {} });
export type RedriveFactsRequest = z.infer<typeof RedriveFactsRequest>;

export const RedrivenFacts = z.object({ redriven: z.number().int() }).meta({ id: 'RedrivenFacts' });
export type RedrivenFacts = z.infer<typeof RedrivenFacts>;
