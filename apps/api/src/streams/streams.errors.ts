import { AppError } from '#libs/errors/app-error.js';

/** Also the answer when there is one, but it is not assigned to the asking agent. */
export const streamNotFound = (): AppError =>
  new AppError('stream.not_found', 'user', 'There is no such stream, or it is not assigned to you.');

export const streamNameTaken = (): AppError =>
  new AppError('stream.name.conflict', 'user', 'A stream of this name exists: choose another name.');

export const streamIsWatched = (): AppError =>
  new AppError('stream.status.conflict', 'user', 'This stream is watched and says its status itself: stop it first.');
