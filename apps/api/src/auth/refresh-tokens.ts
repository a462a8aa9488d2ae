import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { TransactionRunner } from '../database/transaction.js';
import { AppEvents } from '../events/app-events.js';
import { badRefreshToken } from './auth.errors.js';
import { hashCode } from './one-time-code.js';
import { SessionsRepository } from './sessions.repository.js';

/** How long a sign-in lasts without another, in ms. */
export const SESSION_MS = 30 * 24 * 3_600_000;
/** For so long after its use a token may come again: two tabs refresh at once, or an answer was lost. */
const GRACE_MS = 10_000;
/** Tokens of one generation at most; only the grace makes more than one. */
const MOST_SIBLINGS = 4;

/** A sign-in's refresh token as the client keeps it, and whose it is. */
export interface IssuedRefreshToken {
  token: string;
  sessionId: string;
  userId: string;
}

/** What a sign-in is recognised by in the list of all. */
export interface Device {
  userAgent: string;
  address: string;
}

const UNKNOWN_DEVICE: Device = { userAgent: '', address: '' };

const newToken = (): string => randomBytes(32).toString('base64url');

/**
 * Opaque refresh tokens of 256 bits that are good for one use. All tokens of a sign-in are one family: a token that
 * comes again after the grace, or after a descendant of it was used, was stolen by somebody, and the family ends.
 * Within the grace the immediate predecessor gets another token of the same family, so that two parallel refreshes
 * leave one live sign-in.
 */
@Injectable()
export class RefreshTokens {
  constructor(
    private readonly transactions: TransactionRunner,
    private readonly sessions: SessionsRepository,
    private readonly events: AppEvents,
  ) {}

  /** Opens a sign-in. */
  async open(userId: string, device = UNKNOWN_DEVICE): Promise<IssuedRefreshToken> {
    const token = newToken();
    const expiresAt = new Date(Date.now() + SESSION_MS);
    const sessionId = await this.transactions.run((tx) =>
      this.sessions.open(tx, { userId, expiresAt, ...device }, hashCode(token)),
    );
    return { token, sessionId, userId };
  }

  /** The sign-in that a token belongs to, null for none; whether the token is still good is not asked. */
  sessionOf(token: string): Promise<string | null> {
    return this.sessions.findByToken(hashCode(token));
  }

  /**
   * Uses a token up and issues its successor.
   * @throws AppError `auth.refresh.unauthorized` when it is unknown, expired, revoked, or came again.
   */
  async rotate(token: string, now = Date.now()): Promise<IssuedRefreshToken> {
    const hash = hashCode(token);
    const outcome = await this.transactions.run(
      async (tx): Promise<IssuedRefreshToken | { revoked: string } | null> => {
        const found = await this.sessions.lockByToken(tx, hash);
        if (found === null) return null;
        const { session, token: known } = found;
        if (session.revokedAt !== null || session.expiresAt.getTime() <= now) return null;
        const next = known.generation + 1;
        if (known.usedAt !== null) {
          const successors = await this.sessions.generationState(tx, session.id, next);
          const late = now - known.usedAt.getTime() > GRACE_MS;
          if (late || successors.used || successors.count >= MOST_SIBLINGS) {
            await this.sessions.revoke(session.id, tx);
            return { revoked: session.userId };
          }
        } else await this.sessions.markUsed(tx, hash, new Date(now));
        const successor = newToken();
        await this.sessions.addToken(tx, session, next, hashCode(successor));
        return { token: successor, sessionId: session.id, userId: session.userId };
      },
    );
    if (outcome === null) throw badRefreshToken();
    if ('revoked' in outcome) {
      this.events.emit('user.revoked', { userId: outcome.revoked });
      throw badRefreshToken();
    }
    return outcome;
  }
}
