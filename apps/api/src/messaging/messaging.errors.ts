import { AppError } from '#libs/errors/app-error.js';

export const partnerNotFound = (): AppError =>
  new AppError('message.user.not_found', 'user', 'There is nobody with this id to exchange messages with.');

export const clientIdTaken = (): AppError =>
  new AppError(
    'message.client_id.conflict',
    'user',
    'You sent another message with this `clientId` before: make a new one for each message.',
  );

export const tooManyMessages = (retryAfterSeconds: number): AppError =>
  new AppError('message.too_many', 'user', 'That were many messages in a minute: wait a little.', {
    retryAfterSeconds: Math.ceil(retryAfterSeconds),
  });
