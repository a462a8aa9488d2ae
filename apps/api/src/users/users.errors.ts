import { AppError } from '#libs/errors/app-error.js';

export const usernameTaken = (): AppError =>
  new AppError('user.username.conflict', 'user', 'This user name is taken: choose another.');

export const emailTaken = (): AppError =>
  new AppError('user.email.conflict', 'user', 'This e-mail address belongs to another user.');
