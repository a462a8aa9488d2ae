import { AppError } from '#libs/errors/app-error.js';

/** No valid access token came with the request. */
export const unauthorized = (): AppError =>
  new AppError(
    'auth.unauthorized',
    'user',
    'Sign in with POST /api/auth/login, and send the access token as `Authorization: Bearer …`.',
  );

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
    'auth.password_change_required',
    'user',
    'This password was meant for one use: choose your own with POST /api/auth/change-password first.',
  );

/** The current password, asked for again, is wrong. */
export const wrongPassword = (): AppError =>
  new AppError('auth.password.forbidden', 'user', 'The current password is wrong.');

/** The new password is the one that was meant for one use. */
export const samePassword = (): AppError =>
  new AppError('auth.password.unchanged', 'user', 'The new password must differ from the one-time password.');

/** A sign-in that is not there, or not the caller's. */
export const sessionNotFound = (): AppError =>
  new AppError('auth.session.not_found', 'user', 'There is no such sign-in of yours: see GET /api/auth/sessions.');

/** Nobody may register. */
export const registrationClosed = (): AppError =>
  new AppError('auth.registration.forbidden', 'user', 'Nobody can register here: ask an admin for an account.');

/** An invitation that is unknown, used, expired or for another address. */
export const badInvitation = (): AppError =>
  new AppError(
    'auth.invitation.forbidden',
    'user',
    'Registering takes a valid invitation for this e-mail address: ask an admin for a new one.',
  );

export const invitationNotFound = (): AppError =>
  new AppError('auth.invitation.not_found', 'user', 'There is no such open invitation: see GET /api/auth/invitations.');

/** A reset code that is unknown, used or expired. */
export const badResetCode = (): AppError =>
  new AppError('auth.reset.invalid', 'user', 'This code is not valid any more: ask for a new one.');

/** A cookie authenticates a request that changes something, and nothing shows that the user's own page sent it. */
export const forgedRequest = (): AppError =>
  new AppError(
    'auth.csrf.forbidden',
    'user',
    'With cookies, send the value of the cookie `__Host-vigil-csrf` as `X-CSRF-Token` from an allowed origin.',
  );
