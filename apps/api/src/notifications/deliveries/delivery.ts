import { z } from 'zod';

/** Where a delivery stands. `dead`: given up; `suppressed`: a silence came before it was sent. */
export const DeliveryState = z.enum(['pending', 'sending', 'sent', 'dead', 'suppressed']).meta({ id: 'DeliveryState' });
export type DeliveryState = z.infer<typeof DeliveryState>;

/** One attempt, and what became of it. */
export const DeliveryLogEntry = z
  .object({
    at: z.iso.datetime(),
    outcome: z.enum(['sent', 'failed', 'held', 'suppressed', 'interrupted']),
    /** A sentence for a person; empty when all went well. */
    detail: z.string(),
    ms: z.number().int(),
  })
  .meta({ id: 'DeliveryAttempt' });
export type DeliveryLogEntry = z.infer<typeof DeliveryLogEntry>;
