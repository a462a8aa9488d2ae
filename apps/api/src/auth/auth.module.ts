import { Global, Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { ServiceTokensModule } from '../service-tokens/service-tokens.module.js';
import { UsersModule } from '../users/users.module.js';
import { AccessGuard } from './access.guard.js';
import { AccessTokens } from './access-tokens.js';
import { AuthController } from './auth.controller.js';
import { AuthService } from './auth.service.js';
import { Authenticator } from './authenticator.js';
import { DocumentationAccess } from './documentation-access.js';
import { FirstAdmin } from './first-admin.js';
import { secretProviders } from './jwt-secret.js';
import { LoginThrottle } from './login-throttle.js';
import { RefreshTokens } from './refresh-tokens.js';
import { SessionsRepository } from './sessions.repository.js';
import { SIGNING_SECRET } from './signing-secret.js';

/** Who may do what: sign-in, tokens, and the guard before every route. */
@Global()
@Module({
  imports: [UsersModule, ServiceTokensModule],
  controllers: [AuthController],
  providers: [
    ...secretProviders,
    AccessTokens,
    AuthService,
    Authenticator,
    DocumentationAccess,
    FirstAdmin,
    LoginThrottle,
    RefreshTokens,
    SessionsRepository,
    { provide: APP_GUARD, useClass: AccessGuard },
  ],
  exports: [SIGNING_SECRET, DocumentationAccess, Authenticator, AccessTokens, AuthService],
})
export class AuthModule {}
