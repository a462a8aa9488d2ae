import { z } from 'zod';

export const Me = z
  .object({
    id: z.uuid(),
    username: z.string().meta({ example: 'alice' }),
    email: z.string().meta({ example: 'alice@example.com' }),
    name: z.string().meta({ example: 'Alice' }),
    role: z.enum(['admin', 'agent']),
    bio: z.string().describe('What you say of yourself.'),
    receiveUpdates: z.boolean().describe('Whether you want news about Vigil by mail.'),
    createdAt: z.iso.datetime(),
    version: z.number().int().describe('Counts the changes; also the `ETag`.'),
  })
  .meta({ id: 'Me' });
export type Me = z.infer<typeof Me>;

export const UpdateMeRequest = z
  .strictObject({
    name: z.string().max(200).optional().meta({ example: 'Alice' }),
    bio: z.string().max(2_000).optional(),
    receiveUpdates: z.boolean().optional(),
  })
  .meta({ id: 'UpdateMeRequest' });
export type UpdateMeRequest = z.infer<typeof UpdateMeRequest>;
