import { AppError } from '#libs/errors/app-error.js';

export const assignmentExists = (): AppError =>
  new AppError('assignment.conflict', 'user', 'This agent looks after this stream already.');

export const assignmentTargetMissing = (): AppError =>
  new AppError('assignment.target.not_found', 'user', 'There is no such agent or no such stream.');

export const assignmentNotFound = (): AppError =>
  new AppError('assignment.not_found', 'user', 'There is no such assignment: see GET /api/assignments.');

export const nobodyFree = (): AppError =>
  new AppError(
    'assignment.capacity.conflict',
    'user',
    'No enabled agent has room for this stream: name one, raise a capacity, or make another agent.',
  );
