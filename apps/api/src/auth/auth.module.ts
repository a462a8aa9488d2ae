import { Global, Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { MailModule } from '../mail/mail.module.js';
import { ServiceTokensModule } from '../service-tokens/service-tokens.module.js';
import { UsersModule } from '../users/users.module.js';
import { AccessGuard } from './access.guard.js';
import { AccessTokens } from './access-tokens.js';
import { AdminPages } from './admin-pages.js';
import { AuthController } from './auth.controller.js';
import { AuthService } from './auth.service.js';
import { Authenticator } from './authenticator.js';
import { Cookies } from './browser/cookies.js';
import { FirstAdmin } from './first-admin.js';
import { secretProviders } from './jwt-secret.js';
import { LoginThrottle } from './login-throttle.js';
import { PasswordResetsRepository } from './recovery/password-resets.repository.js';
import { RecoveryController } from './recovery/recovery.controller.js';
import { RecoveryService } from './recovery/recovery.service.js';
import { RefreshTokens } from './refresh-tokens.js';
import { InvitationsRepository } from './registration/invitations.repository.js';
import { RegistrationController } from './registration/registration.controller.js';
import { RegistrationService } from './registration/registration.service.js';
import { SessionsController } from './sessions.controller.js';
import { SessionsRepository } from './sessions.repository.js';
import { SIGNING_SECRET } from './signing-secret.js';

/** Who may do what: sign-in, tokens, and the guard before every route. */
@Global()
@Module({
  imports: [UsersModule, MailModule, ServiceTokensModule],
  controllers: [AuthController, SessionsController, RegistrationController, RecoveryController],
  providers: [
    ...secretProviders,
    AccessTokens,
    AuthService,
    Authenticator,
    Cookies,
    AdminPages,
    FirstAdmin,
    InvitationsRepository,
    LoginThrottle,
    PasswordResetsRepository,
    RecoveryService,
    RefreshTokens,
    RegistrationService,
    SessionsRepository,
    { provide: APP_GUARD, useClass: AccessGuard },
  ],
  exports: [SIGNING_SECRET, Cookies, AdminPages, Authenticator, AccessTokens, AuthService],
})
export class AuthModule {}
