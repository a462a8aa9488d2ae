import { SetMetadata, type CustomDecorator } from '@nestjs/common';
import { z } from 'zod';

/** What a service token may be good for. */
export const ServiceTokenScope = z.enum(['chat:push', 'sockets:forward']).meta({ id: 'ServiceTokenScope' });
export type ServiceTokenScope = z.infer<typeof ServiceTokenScope>;

/** Metadata key that the guard reads. */
export const SERVICE_SCOPE = 'access.serviceScope';

/** Lets only the bearer of a service token with this scope in, and no user. */
export const ServiceScope = (scope: ServiceTokenScope): CustomDecorator => SetMetadata(SERVICE_SCOPE, scope);
