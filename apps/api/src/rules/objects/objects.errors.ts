import { AppError } from '#libs/errors/app-error.js';

export const ruleNotFound = (): AppError =>
  new AppError('object_rule.not_found', 'user', 'There is no such object: see GET /api/objects.');

export const labelTaken = (): AppError =>
  new AppError('object_rule.label.conflict', 'user', 'This label is on the watch list already: change that entry.');

export const tooManyRules = (most: number): AppError =>
  new AppError(
    'object_rule.limit.conflict',
    'user',
    `The watch list holds ${String(most)} objects at most: remove one.`,
  );
