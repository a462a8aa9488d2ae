import { AppError } from '#libs/errors/app-error.js';

/** There is no such detection, or it is on a stream that the caller does not look after. */
export const detectionNotFound = (): AppError =>
  new AppError('detection.not_found', 'user', 'There is no such detection among those you may see.');

/** The detection has no image: it was shed to save room, or has been cleared since. */
export const imageNotFound = (): AppError =>
  new AppError('detection.image.not_found', 'user', 'No image was kept for this detection.');

/** An image link that is void; the detection has a fresh one. */
export const badImageLink = (): AppError =>
  new AppError(
    'detection.image.unauthorized',
    'user',
    'This image link is void or has expired: fetch the detection again, its imageUrl is new each time.',
  );
