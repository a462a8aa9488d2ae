import { Injectable } from '@nestjs/common';
import { AppError } from '#libs/errors/app-error.js';
import { AppEvents } from '../events/app-events.js';
import type { UserEntity } from '../users/user.entity.js';
import { UsersService } from '../users/users.service.js';
import { ACCESS_TOKEN_SECONDS, AccessTokens } from './access-tokens.js';
import type {
  ChangePasswordRequest,
  LoginRequest,
  SessionUser,
  TokenVerification,
  TokenVerifyRequest,
  Tokens,
} from './auth.dto.js';
import { badCredentials, badRefreshToken, unauthorized, wrongPassword } from './auth.errors.js';
import { Authenticator } from './authenticator.js';
import { LoginThrottle } from './login-throttle.js';
import { RefreshTokens, type IssuedRefreshToken } from './refresh-tokens.js';
import { SessionsRepository } from './sessions.repository.js';

/** Signing in, staying in, getting out. */
@Injectable()
export class AuthService {
  constructor(
    private readonly users: UsersService,
    private readonly sessions: SessionsRepository,
    private readonly accessTokens: AccessTokens,
    private readonly refreshTokens: RefreshTokens,
    private readonly authenticator: Authenticator,
    private readonly throttle: LoginThrottle,
    private readonly events: AppEvents,
  ) {}

  /** @throws AppError `auth.credentials.unauthorized`, `auth.too_many`. */
  async login({ username, password }: LoginRequest, address: string): Promise<Tokens> {
    const user = await this.recognise({ username, password }, address);
    return this.tokensFor(user, await this.refreshTokens.open(user.id));
  }

  /** Whether these are the credentials of an admin. @throws AppError as {@link login}. */
  async isAdmin(credentials: LoginRequest, address: string): Promise<boolean> {
    const { role, mustChangePassword } = await this.recognise(credentials, address);
    return role === 'admin' && !mustChangePassword;
  }

  /** @throws AppError `auth.refresh.unauthorized` for a refresh token that is no longer good. */
  async verify(request: TokenVerifyRequest): Promise<TokenVerification> {
    if ('refreshToken' in request) {
      const issued = await this.refreshTokens.rotate(request.refreshToken);
      const user = await this.users.find(issued.userId);
      if (user === null || user.disabledAt !== null) throw badRefreshToken();
      return { valid: true, ...(await this.tokensFor(user, issued)) };
    }
    const identity = await this.authenticator.authenticate(request.token).catch((error: unknown) => {
      if (error instanceof AppError && error.kind === 'user') return null;
      throw error;
    });
    if (identity === null) return { valid: false, user: null };
    const expiresIn = Math.max(0, Math.floor((identity.expiresAt.getTime() - Date.now()) / 1_000));
    return { valid: true, user: await this.user(identity.user.id), expiresIn };
  }

  /** Ends a sign-in, its refresh tokens and its sockets. */
  async logout(sessionId: string, userId: string): Promise<void> {
    await this.sessions.revoke(sessionId);
    this.events.emit('user.revoked', { userId });
  }

  async user(id: string): Promise<SessionUser> {
    const user = await this.users.find(id);
    if (user === null) throw unauthorized();
    return viewOf(user);
  }

  /** Sets a new password and ends the user's other sign-ins. @throws AppError `auth.password.forbidden`. */
  async changePassword(
    userId: string,
    sessionId: string,
    { currentPassword, newPassword }: ChangePasswordRequest,
  ): Promise<void> {
    const user = await this.users.find(userId);
    if (user === null) throw unauthorized();
    await this.throttle.attempt(`change:${userId}`, `change:${userId}`);
    if (!(await this.users.knowsPassword(user, currentPassword))) throw wrongPassword();
    await this.users.setPassword(userId, newPassword);
    await this.endSessions(userId, sessionId);
  }

  /** Ends a user's sign-ins, all but the one given, with their refresh tokens and sockets. */
  async endSessions(userId: string, except?: string): Promise<void> {
    await this.sessions.revokeAll(userId, except);
    this.events.emit('user.revoked', { userId });
  }

  private async recognise({ username, password }: LoginRequest, address: string): Promise<UserEntity> {
    await this.throttle.attempt(username, address);
    const user = await this.users.recognise(username, password);
    if (user === null) throw badCredentials();
    await this.throttle.succeeded(username, address);
    return user;
  }

  private async tokensFor(user: UserEntity, issued: IssuedRefreshToken): Promise<Tokens> {
    return {
      accessToken: await this.accessTokens.issue(user.id, issued.sessionId),
      refreshToken: issued.token,
      expiresIn: ACCESS_TOKEN_SECONDS,
      user: viewOf(user),
    };
  }
}

function viewOf({ id, username, email, name, role, mustChangePassword }: UserEntity): SessionUser {
  return { id, username, email, name, role, mustChangePassword };
}
