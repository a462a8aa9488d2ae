import { AsyncLocalStorage } from 'node:async_hooks';
import type { NextFunction, Response } from 'express';
import type { AuthenticatedRequest } from '../auth/authenticated-user.js';
import { REQUEST_ID_HEADER } from './request-id.js';

/** Who asks, from where, in which request. */
export interface RequestOrigin {
  userId: string | null;
  username: string;
  requestId: string | null;
  address: string | null;
}

const requests = new AsyncLocalStorage<{ request: AuthenticatedRequest; requestId: string | null }>();

/** Keeps the request at hand for whatever is done in its course. Behind the request id. */
export function requestContext(request: AuthenticatedRequest, response: Response, next: NextFunction): void {
  const id = response.getHeader(REQUEST_ID_HEADER);
  requests.run({ request, requestId: typeof id === 'string' ? id : null }, next);
}

/** The origin of what is being done; the system itself outside of a request. */
export function requestOrigin(): RequestOrigin {
  const current = requests.getStore();
  if (current === undefined) return { userId: null, username: 'system', requestId: null, address: null };
  const { user, ip } = current.request;
  return {
    userId: user?.id ?? null,
    username: user?.username ?? 'anonymous',
    requestId: current.requestId,
    address: ip ?? null,
  };
}
