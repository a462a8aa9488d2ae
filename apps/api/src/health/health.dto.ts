import { z } from 'zod';

const Part = z.enum(['up', 'down']);

/** Whether the api can do its work, and which part of it cannot. */
export const Health = z
  .object({
    status: z.enum(['ok', 'degraded', 'down']).describe('`degraded`: Redis is away, commands wait for it.'),
    database: Part,
    redis: Part,
    uptimeSeconds: z.number().int(),
  })
  .meta({ id: 'Health' });
export type Health = z.infer<typeof Health>;

export const Liveness = z.object({ status: z.literal('ok') }).meta({ id: 'Liveness' });
export type Liveness = z.infer<typeof Liveness>;
