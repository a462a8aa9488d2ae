import { Injectable } from '@nestjs/common';
import { AppError } from '#libs/errors/app-error.js';
import { AuditTrail } from '../audit/audit-trail.js';
import { AppEvents } from '../events/app-events.js';
import type { UserEntity } from '../users/user.entity.js';
import { UsersService } from '../users/users.service.js';
import { ACCESS_TOKEN_SECONDS, AccessTokens } from './access-tokens.js';
import {
  viewOf,
  type ChangePasswordRequest,
  type LoginRequest,
  type SessionUser,
  type SignIn,
  type TokenVerification,
  type Tokens,
} from './auth.dto.js';
import {
  badCredentials,
  badRefreshToken,
  samePassword,
  sessionNotFound,
  unauthorized,
  wrongPassword,
} from './auth.errors.js';
import { Authenticator } from './authenticator.js';
import { LoginThrottle } from './login-throttle.js';
import { PasswordResetsRepository } from './recovery/password-resets.repository.js';
import { RefreshTokens, type Device, type IssuedRefreshToken } from './refresh-tokens.js';
import { SessionsRepository } from './sessions.repository.js';

/** Tokens that were issued just now, and the sign-in that they belong to. */
export interface Issued {
  tokens: Tokens;
  sessionId: string;
}

/** Signing in, staying in, getting out. */
@Injectable()
export class AuthService {
  constructor(
    private readonly users: UsersService,
    private readonly sessions: SessionsRepository,
    private readonly accessTokens: AccessTokens,
    private readonly refreshTokens: RefreshTokens,
    private readonly resets: PasswordResetsRepository,
    private readonly authenticator: Authenticator,
    private readonly throttle: LoginThrottle,
    private readonly events: AppEvents,
    private readonly audit: AuditTrail,
  ) {}

  /** @throws AppError `auth.credentials.unauthorized`, `auth.too_many`. */
  async login({ username, password }: LoginRequest, device: Device): Promise<Issued> {
    const user = await this.recognise({ username, password }, device.address);
    const issued = await this.refreshTokens.open(user.id, device);
    const actor = { id: user.id, name: user.username };
    await this.audit.record({ action: 'user.signed_in', target: { type: 'user', ...actor }, actor });
    return this.tokensFor(user, issued);
  }

  /** Whether these are the credentials of an admin. @throws AppError as {@link login}. */
  async isAdmin(credentials: LoginRequest, address: string): Promise<boolean> {
    const { role, mustChangePassword } = await this.recognise(credentials, address);
    return role === 'admin' && !mustChangePassword;
  }

  /** Exchanges a refresh token. @throws AppError `auth.refresh.unauthorized` when it is no longer good. */
  async refresh(refreshToken: string): Promise<Issued> {
    const issued = await this.refreshTokens.rotate(refreshToken);
    const user = await this.users.find(issued.userId);
    if (user === null || user.disabledAt !== null) throw badRefreshToken();
    return this.tokensFor(user, issued);
  }

  /** Says whether an access token is valid. */
  async verify(token: string): Promise<TokenVerification> {
    const identity = await this.authenticator.authenticate(token).catch((error: unknown) => {
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
    await this.audit.record({ action: 'user.signed_out', target: { type: 'user', id: userId } });
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
    const account = `change:${userId}`;
    await this.throttle.attempt(account, account);
    if (!(await this.users.knowsPassword(user, currentPassword))) throw wrongPassword();
    await this.throttle.succeeded(account, account);
    if (user.mustChangePassword && newPassword === currentPassword) throw samePassword();
    await this.users.setPassword(userId, newPassword, async (tx) => {
      await this.sessions.revokeAll(userId, sessionId, tx);
      await this.resets.clear(tx, userId);
      const target = { type: 'user', id: userId, name: user.username };
      await this.audit.record({ action: 'user.password_changed', target }, tx);
    });
    this.events.emit('user.revoked', { userId });
  }

  /** A user's live sign-ins, newest first. */
  async list(userId: string, currentId: string): Promise<SignIn[]> {
    return (await this.sessions.list(userId)).map((session) => ({
      id: session.id,
      current: session.id === currentId,
      userAgent: session.userAgent,
      address: session.address,
      createdAt: session.createdAt.toISOString(),
      lastUsedAt: session.lastUsedAt.toISOString(),
      expiresAt: session.expiresAt.toISOString(),
    }));
  }

  /** Ends one of a user's sign-ins. @throws AppError `auth.session.not_found`. */
  async endSession(sessionId: string, userId: string): Promise<void> {
    if (!(await this.sessions.revokeOwn(sessionId, userId))) throw sessionNotFound();
    this.events.emit('user.revoked', { userId });
    await this.audit.record({ action: 'user.session_ended', target: { type: 'session', id: sessionId } });
  }

  /** Ends a user's sign-ins, all but the one given, with their refresh tokens and sockets. */
  async endSessions(userId: string, except?: string): Promise<void> {
    await this.sessions.revokeAll(userId, except);
    this.events.emit('user.revoked', { userId });
    await this.audit.record({ action: 'user.sessions_ended', target: { type: 'user', id: userId } });
  }

  private async recognise({ username, password }: LoginRequest, address: string): Promise<UserEntity> {
    await this.throttle.attempt(username, address);
    const user = await this.users.recognise(username, password);
    if (user === null) {
      const actor = { id: null, name: username };
      await this.audit.record({
        action: 'user.sign_in_refused',
        target: { type: 'user', id: '', name: username },
        actor,
      });
      throw badCredentials();
    }
    await this.throttle.succeeded(username, address);
    return user;
  }

  private async tokensFor(user: UserEntity, issued: IssuedRefreshToken): Promise<Issued> {
    const tokens = {
      accessToken: await this.accessTokens.issue(user.id, issued.sessionId),
      refreshToken: issued.token,
      expiresIn: ACCESS_TOKEN_SECONDS,
      user: viewOf(user),
    };
    return { tokens, sessionId: issued.sessionId };
  }
}
