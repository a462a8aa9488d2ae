import { createParamDecorator, SetMetadata, type CustomDecorator, type ExecutionContext } from '@nestjs/common';
import { unauthorized } from './auth.errors.js';
import type { AuthenticatedRequest, AuthenticatedUser, UserRole } from './authenticated-user.js';

/** Metadata keys that the guard reads. */
export const ACCESS = {
  public: 'access.public',
  roles: 'access.roles',
  beforePasswordChange: 'access.beforePasswordChange',
} as const;

/** Lets everyone in, signed in or not. */
export const Public = (): CustomDecorator => SetMetadata(ACCESS.public, true);

/** Lets only these roles in; without it a route is open to any signed-in user. */
export const Roles = (...roles: UserRole[]): CustomDecorator => SetMetadata(ACCESS.roles, roles);

/** Lets users in who must change their password first; every other route refuses them. */
export const BeforePasswordChange = (): CustomDecorator => SetMetadata(ACCESS.beforePasswordChange, true);

/** The signed-in user; on a public route it throws, for there is none. */
export const CurrentUser = createParamDecorator((_data: unknown, context: ExecutionContext): AuthenticatedUser => {
  const { user } = context.switchToHttp().getRequest<AuthenticatedRequest>();
  if (user === undefined) throw unauthorized();
  return user;
});

/** The id of the sign-in that the request's access token belongs to. */
export const CurrentSession = createParamDecorator((_data: unknown, context: ExecutionContext): string => {
  const { sessionId } = context.switchToHttp().getRequest<AuthenticatedRequest>();
  if (sessionId === undefined) throw unauthorized();
  return sessionId;
});
