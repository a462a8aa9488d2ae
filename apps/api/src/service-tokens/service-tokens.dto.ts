import { z } from 'zod';
import { pageOf } from '../http/pagination.js';
import { ServiceTokenScope } from './service-scope.js';
import type { ServiceTokenEntity } from './service-token.entity.js';

const Instant = z.iso.datetime();

/** A service token without the token itself. */
export const ServiceToken = z
  .object({
    id: z.uuid(),
    name: z.string().meta({ example: 'Chat of our own platform' }),
    scopes: z.array(ServiceTokenScope),
    createdAt: Instant,
    lastUsedAt: Instant.nullable().describe('True to the minute.'),
    revokedAt: Instant.nullable().describe('From then on it is refused.'),
  })
  .meta({ id: 'ServiceToken' });
export type ServiceToken = z.infer<typeof ServiceToken>;

/** A token that was made just now. */
export const NewServiceToken = ServiceToken.extend({
  token: z.string().describe('Send it as `Authorization: Bearer …`. It is shown this once and not kept.'),
}).meta({ id: 'NewServiceToken' });
export type NewServiceToken = z.infer<typeof NewServiceToken>;

/** One page of service tokens. */
export const ServiceTokenPage = pageOf(ServiceToken, 'ServiceTokenPage');

export const CreateServiceTokenRequest = z
  .strictObject({
    name: z
      .string()
      .trim()
      .min(1)
      .max(100)
      .regex(/^\P{Cc}*$/u, 'must have no control characters')
      .describe('What it is for.'),
    scopes: z
      .array(ServiceTokenScope)
      .min(1)
      .max(10)
      .transform((scopes) => [...new Set(scopes)]),
  })
  .meta({ id: 'CreateServiceTokenRequest' });
export type CreateServiceTokenRequest = z.infer<typeof CreateServiceTokenRequest>;

/** A row as admins see it. */
export function viewOf(row: ServiceTokenEntity): ServiceToken {
  return {
    id: row.id,
    name: row.name,
    scopes: row.scopes,
    createdAt: row.createdAt.toISOString(),
    lastUsedAt: row.lastUsedAt?.toISOString() ?? null,
    revokedAt: row.revokedAt?.toISOString() ?? null,
  };
}
