import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { ACCESS } from './access.decorators.js';
import { forbidden, passwordChangeDue, unauthorized } from './auth.errors.js';
import type { AuthenticatedRequest, UserRole } from './authenticated-user.js';
import { SERVICE_SCOPE, type ServiceTokenScope } from '../service-tokens/service-scope.js';
import { ServiceTokensService } from '../service-tokens/service-tokens.service.js';
import { Authenticator, type Identity } from './authenticator.js';
import { Cookies } from './browser/cookies.js';

/** Stands before every route: whoever is not let in by a decorator, or signed in, stays out. */
@Injectable()
export class AccessGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly authenticator: Authenticator,
    private readonly cookies: Cookies,
    private readonly serviceTokens: ServiceTokensService,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    // Sockets are authenticated when they connect, in every namespace: guards do not run there.
    if (context.getType() !== 'http') return true;
    const targets = [context.getHandler(), context.getClass()];
    if (this.reflector.getAllAndOverride<boolean | undefined>(ACCESS.public, targets) === true) return true;
    const request = context.switchToHttp().getRequest<AuthenticatedRequest>();
    const scope = this.reflector.getAllAndOverride<ServiceTokenScope | undefined>(SERVICE_SCOPE, targets);
    if (scope !== undefined) {
      await this.serviceTokens.admit(bearerOf(request), scope);
      return true;
    }
    const identity = await this.identify(request);
    const early = this.reflector.getAllAndOverride<boolean | undefined>(ACCESS.beforePasswordChange, targets) === true;
    if (identity.mustChangePassword && !early) throw passwordChangeDue();
    const roles = this.reflector.getAllAndOverride<UserRole[] | undefined>(ACCESS.roles, targets);
    if (roles !== undefined && !roles.includes(identity.user.role)) throw forbidden();
    request.user = identity.user;
    request.sessionId = identity.sessionId;
    return true;
  }

  /** A request that has an `Authorization` is its bearer's; cookies count without one alone. */
  private async identify(request: AuthenticatedRequest): Promise<Identity> {
    const cookie = request.headers.authorization === undefined ? this.cookies.token(request, 'access') : undefined;
    if (cookie === undefined) return this.authenticator.authenticate(bearerOf(request));
    const identity = await this.authenticator.authenticate(cookie);
    this.cookies.requireOwn(request, identity.sessionId);
    return identity;
  }
}

function bearerOf(request: AuthenticatedRequest): string {
  // Of two headers Node keeps the first: what stands between here and the client may have kept the other.
  if ((request.headersDistinct.authorization?.length ?? 0) !== 1) throw unauthorized();
  const [scheme, token, rest] = (request.headers.authorization ?? '').split(' ');
  if (scheme?.toLowerCase() !== 'bearer' || token === undefined || rest !== undefined) throw unauthorized();
  return token;
}
