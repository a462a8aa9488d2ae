import type { NextFunction, Request, Response } from 'express';
import { AppError } from '#libs/errors/app-error.js';

/** Half of a surrogate pair without its other half: no character. */
const LONE_SURROGATE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;

/**
 * Reviver for `JSON.parse` that refuses what Postgres cannot store: the null character, and halves of surrogate pairs,
 * which `jsonb` refuses.
 * @throws AppError `request.malformed`.
 */
export function plainText(key: string, value: unknown): unknown {
  requirePlain(key);
  if (typeof value === 'string') requirePlain(value);
  return value;
}

/** Refuses a null character in path or query. */
export function plainUrl(request: Request, _response: Response, next: NextFunction): void {
  if (/%00|\0/i.test(request.url)) throw malformed();
  next();
}

/** @throws AppError `request.malformed` for a text that Postgres cannot store. */
export function requirePlain(text: string): void {
  if (!isPlain(text)) throw malformed();
}

/** Whether a text holds neither a null character nor half of a surrogate pair. */
export function isPlain(text: string): boolean {
  return !text.includes('\0') && !LONE_SURROGATE.test(text);
}

function malformed(): AppError {
  return new AppError(
    'request.malformed',
    'user',
    'Texts must hold no null character and no half of a surrogate pair.',
  );
}
