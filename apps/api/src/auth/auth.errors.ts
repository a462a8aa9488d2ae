import { AppError } from '#libs/errors/app-error.js';

/** No valid access token came with the request. */
export const unauthorized = (): AppError =>
  new AppError('auth.unauthorized', 'user', 'Sign in and send the access token as `Authorization: Bearer …`.');

/** Signed in, but not allowed. */
export const forbidden = (): AppError => new AppError('auth.forbidden', 'user', 'Your role does not allow this.');

/** The same answer for an unknown user, a wrong password and a disabled account. */
export const badCredentials = (): AppError =>
  new AppError('auth.credentials.unauthorized', 'user', 'The user name or the password is wrong.');

/** A refresh token that is unknown, expired, revoked or was used before. */
export const badRefreshToken = (): AppError =>
  new AppError('auth.refresh.unauthorized', 'user', 'This refresh token is no longer valid: sign in again.');

/** Too many failed sign-ins. */
export const tooManyAttempts = (retryAfterSeconds: number): AppError =>
  new AppError(
    'auth.too_many',
    'user',
    `Too many failed attempts: try again in ${String(Math.ceil(retryAfterSeconds))} seconds.`,
    { retryAfterSeconds: Math.ceil(retryAfterSeconds) },
  );

/** Signed in with a one-time password that must be changed before anything else. */
export const passwordChangeDue = (): AppError =>
  new AppError(
    'auth.password_change.forbidden',
    'user',
    'This password was meant for one use: choose your own with POST /api/auth/change-password first.',
  );

/** The current password, asked for again, is wrong. */
export const wrongPassword = (): AppError =>
  new AppError('auth.password.forbidden', 'user', 'The current password is wrong.');
