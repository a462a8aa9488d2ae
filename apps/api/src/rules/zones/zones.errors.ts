import { AppError } from '#libs/errors/app-error.js';

export const zoneNotFound = (): AppError =>
  new AppError('zone.not_found', 'user', 'This stream has no such zone: see its list of zones.');

export const zoneNameTaken = (): AppError =>
  new AppError('zone.name.conflict', 'user', 'This stream has a zone of this name: choose another name.');

export const tooManyZones = (most: number, where: string): AppError =>
  new AppError('zone.limit.conflict', 'user', `There can be ${String(most)} zones ${where} at most: remove one.`);
