import { AsyncLocalStorage } from 'node:async_hooks';
import type { NextFunction, Response } from 'express';
import type { AuthenticatedRequest, AuthenticatedUser } from '../auth/authenticated-user.js';
import { REQUEST_ID_HEADER } from './request-id.js';

/** Who asks, from where, in which request. */
export interface RequestOrigin {
  userId: string | null;
  username: string;
  requestId: string | null;
  address: string | null;
}

const origins = new AsyncLocalStorage<() => RequestOrigin>();

/** Keeps the request at hand for whatever is done in its course. Behind the request id. */
export function requestContext(request: AuthenticatedRequest, response: Response, next: NextFunction): void {
  const id = response.getHeader(REQUEST_ID_HEADER);
  const requestId = typeof id === 'string' ? id : null;
  // Who it is the guard finds out later.
  origins.run(() => {
    const { user, ip } = request;
    return { userId: user?.id ?? null, username: user?.username ?? 'anonymous', requestId, address: ip ?? null };
  }, next);
}

/** Does what a user asked for by another way than HTTP. @param requestId names the asking in the trail. */
export function actingAs<T>({ id, username }: AuthenticatedUser, requestId: string, work: () => T): T {
  return origins.run(() => ({ userId: id, username, requestId, address: null }), work);
}

/** The origin of what is being done; the system itself outside of a request. */
export function requestOrigin(): RequestOrigin {
  return origins.getStore()?.() ?? { userId: null, username: 'system', requestId: null, address: null };
}
