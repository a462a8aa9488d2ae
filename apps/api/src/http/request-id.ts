import { randomUUID } from 'node:crypto';
import type { NextFunction, Request, Response } from 'express';

/** Header that carries the id of a request, both ways. */
export const REQUEST_ID_HEADER = 'X-Request-Id';

/** Gives every request an id: the caller's own when it looks like one, else a new one. */
export function requestId(request: Request, response: Response, next: NextFunction): void {
  const given = request.header(REQUEST_ID_HEADER);
  response.setHeader(REQUEST_ID_HEADER, given !== undefined && /^[\w.-]{8,64}$/.test(given) ? given : randomUUID());
  next();
}
