import { z } from 'zod';

export const Verdict = z
  .enum(['true', 'false', 'unsure'])
  .describe('`true`: it is what it says; `false`: a mistake of the machine; `unsure`: nobody can tell.')
  .meta({ id: 'Verdict' });
export type Verdict = z.infer<typeof Verdict>;

export const PutVerdictRequest = z
  .strictObject({
    verdict: Verdict,
    note: z.string().max(2_000).default('').describe('Why.').meta({ example: 'A poster, not a person.' }),
  })
  .meta({ id: 'PutVerdictRequest' });
export type PutVerdictRequest = z.infer<typeof PutVerdictRequest>;

export const VerdictView = z
  .object({
    detectionId: z.uuid(),
    verdict: Verdict,
    note: z.string(),
    userId: z.uuid().nullable().describe('Null when that user is gone.'),
    username: z.string().nullable(),
    createdAt: z.iso.datetime(),
  })
  .meta({ id: 'VerdictView' });
export type VerdictView = z.infer<typeof VerdictView>;

export const VerdictHistory = z
  .object({ items: z.array(VerdictView).describe('Newest first; the first one stands.') })
  .meta({ id: 'VerdictHistory' });
export type VerdictHistory = z.infer<typeof VerdictHistory>;
