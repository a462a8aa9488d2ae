import { AppError } from '#libs/errors/app-error.js';

/** There is no such detection, or it is on a stream that the caller does not look after. */
export const detectionNotFound = (): AppError =>
  new AppError('detection.not_found', 'user', 'There is no such detection among those you may see.');

/** The detection has no image: it was shed to save room, or has been cleared since. */
export const imageNotFound = (): AppError =>
  new AppError('detection.image.not_found', 'user', 'No image was kept for this detection.');

/** The detection has no sound: it is of another kind, the clip was shed to save room, or has been cleared since. */
export const clipNotFound = (): AppError =>
  new AppError('detection.clip.not_found', 'user', 'No sound was kept for this detection.');

/** A link to evidence that is void; the detection has a fresh one. */
export const badEvidenceLink = (part: 'image' | 'clip'): AppError =>
  new AppError(
    `detection.${part}.unauthorized`,
    'user',
    `This ${part} link is void or has expired: fetch the detection again, its ${part}Url is new each time.`,
  );
