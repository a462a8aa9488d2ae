import type { Request } from 'express';

/** What a user may do. */
export type UserRole = 'admin' | 'agent';

/** Who makes a request, as the guard found it in the database just now. */
export interface AuthenticatedUser {
  id: string;
  username: string;
  role: UserRole;
}

/** What the guard leaves on a request. */
export interface AuthenticatedRequest extends Request {
  user?: AuthenticatedUser;
  /** The sign-in that the access token belongs to. */
  sessionId?: string;
}
