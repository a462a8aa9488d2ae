import { AppError } from '#libs/errors/app-error.js';

export const attachmentNotFound = (): AppError =>
  new AppError('attachment.not_found', 'user', 'There is no such attachment among those you may use.');

export const fileMissing = (): AppError =>
  new AppError(
    'attachment.missing',
    'user',
    'Send one file that is not empty, as the part `file` of a multipart form.',
  );

export const contentRefused = (): AppError =>
  new AppError(
    'attachment.refused',
    'user',
    'This file cannot be sent: take PNG, JPEG, WebP, GIF, PDF, WAV, MP3 or plain text in UTF-8. Its content counts, not its name.',
  );

export const pictureTooLarge = (): AppError =>
  new AppError(
    'attachment.picture.too_large',
    'user',
    'This picture has more than 40 million pixels: make it smaller.',
  );

export const pictureBroken = (cause: unknown): AppError =>
  new AppError(
    'attachment.picture.broken',
    'user',
    'This picture cannot be read: save it anew and try again.',
    {},
    { cause },
  );

export const tooManyUnsent = (): AppError =>
  new AppError(
    'attachment.unsent.too_many',
    'user',
    'You have uploaded many files that no message was sent with: send those, or wait until they are removed.',
  );
