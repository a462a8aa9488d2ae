import { z } from 'zod';
import { NewPassword } from '../auth/auth.dto.js';
import { pageOf } from '../http/pagination.js';
import type { UserEntity } from '../users/user.entity.js';

const Username = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{1,63}$/i, '2 to 64 letters, digits, dots, dashes or underscores')
  .describe('What the agent signs in with.')
  .meta({ example: 'alice' });
const Email = z.email().max(254).meta({ example: 'alice@example.com' });
const Name = z.string().max(200).describe('What people call the agent.').meta({ example: 'Alice' });

const Capacity = z
  .number()
  .int()
  .min(0)
  .max(10_000)
  .nullable()
  .describe('How many streams the agent looks after at most when the api chooses; null for any number.')
  .meta({ example: 20 });

export const Agent = z
  .object({
    id: z.uuid(),
    username: z.string().meta({ example: 'alice' }),
    email: z.string().meta({ example: 'alice@example.com' }),
    name: z.string().meta({ example: 'Alice' }),
    capacity: Capacity,
    disabledAt: z.iso.datetime().nullable().describe('Since when the agent may not sign in; null: may.'),
    createdAt: z.iso.datetime(),
    version: z.number().int().describe('Grows with every change; also the `ETag`.'),
  })
  .meta({ id: 'Agent' });
export type Agent = z.infer<typeof Agent>;

export const AgentPage = pageOf(Agent, 'AgentPage');

export const CreateAgentRequest = z
  .strictObject({
    username: Username,
    email: Email,
    name: Name.default(''),
    capacity: Capacity.default(null),
    password: NewPassword.optional().describe('Left out, one is made that must be changed at the first sign-in.'),
  })
  .meta({ id: 'CreateAgentRequest' });
export type CreateAgentRequest = z.infer<typeof CreateAgentRequest>;

export const CreatedAgent = z
  .object({
    agent: Agent,
    password: z.string().nullable().describe('The password that was made, shown this once; null when one was given.'),
  })
  .meta({ id: 'CreatedAgent' });
export type CreatedAgent = z.infer<typeof CreatedAgent>;

export const UpdateAgentRequest = z
  .strictObject({
    email: Email.optional(),
    name: Name.optional(),
    capacity: Capacity.optional(),
    disabled: z.boolean().optional().describe('True ends all sign-ins and sockets of the agent at once.'),
  })
  .meta({ id: 'UpdateAgentRequest' });
export type UpdateAgentRequest = z.infer<typeof UpdateAgentRequest>;

export const OnlineUsers = z
  .object({
    items: z.array(
      z.object({ id: z.uuid(), username: z.string(), name: z.string(), role: z.enum(['admin', 'agent']) }),
    ),
  })
  .meta({ id: 'OnlineUsers' });
export type OnlineUsers = z.infer<typeof OnlineUsers>;

export function viewOf({ id, username, email, name, capacity, disabledAt, createdAt, version }: UserEntity): Agent {
  return {
    id,
    username,
    email,
    name,
    capacity,
    disabledAt: disabledAt?.toISOString() ?? null,
    createdAt: createdAt.toISOString(),
    version,
  };
}
