import { Injectable } from '@nestjs/common';
import { AccessTokens } from './access-tokens.js';
import { unauthorized } from './auth.errors.js';
import type { AuthenticatedUser } from './authenticated-user.js';
import { Gathering } from './gathering.js';
import { SessionsRepository, type LiveSession } from './sessions.repository.js';

/** Who a valid access token stands for, at this moment. */
export interface Identity {
  user: AuthenticatedUser;
  sessionId: string;
  expiresAt: Date;
  mustChangePassword: boolean;
}

/** Tells who an access token stands for. Asks the database each time, so that a revocation counts at once. */
@Injectable()
export class Authenticator {
  private readonly gathering: Gathering<string, LiveSession>;

  constructor(
    private readonly tokens: AccessTokens,
    private readonly sessions: SessionsRepository,
  ) {
    this.gathering = new Gathering((sessionIds) => this.sessions.findLive(sessionIds));
  }

  /** @throws AppError `auth.unauthorized` when the token, its sign-in or its user is no longer good. */
  async authenticate(token: string): Promise<Identity> {
    const claims = await this.tokens.verify(token);
    const live = await this.gathering.ask(claims.sessionId);
    if (live?.id !== claims.userId) throw unauthorized();
    const { id, username, role, mustChangePassword } = live;
    return {
      user: { id, username, role },
      sessionId: claims.sessionId,
      expiresAt: claims.expiresAt,
      mustChangePassword,
    };
  }

  /** Which of these sign-ins are still good. */
  live(sessionIds: readonly string[]): Promise<Map<string, LiveSession>> {
    return this.sessions.findLive(sessionIds);
  }
}
