import { AppError } from '#libs/errors/app-error.js';

export const imageRefused = (): AppError =>
  new AppError('detect.image.refused', 'user', 'This is no JPEG, PNG, WebP or GIF: its content counts, not its name.');

export const imageTooLarge = (): AppError =>
  new AppError('detect.image.too_large', 'user', 'This image has more than 40 million pixels: make it smaller.');

export const imageBroken = (cause: unknown): AppError =>
  new AppError('detect.image.broken', 'user', 'This image cannot be read: save it anew and try again.', {}, { cause });

export const imagesBusy = (): AppError =>
  new AppError('detect.image.busy', 'operational', 'Many images are looked at already: try again in some seconds.', {
    retryAfterSeconds: 5,
  });

export const noMonitor = (detector: string | undefined): AppError =>
  new AppError(
    'detect.image.unavailable',
    'operational',
    detector === undefined
      ? 'No monitor looked at the image: start one whose detector is `ready` in GET /api/detectors, or try again when less is watched.'
      : `No monitor with the detector ${detector} looked at the image: see which are \`ready\` in GET /api/detectors, or leave \`detector\` out.`,
  );

export const monitorSilent = (): AppError =>
  new AppError('detect.image.timeout', 'operational', 'A monitor took the image and did not answer: try again.');

export const imageFailed = (detail: string): AppError =>
  new AppError('detect.image.failed', 'operational', `The monitor could not look at the image: ${detail} Try again.`);
