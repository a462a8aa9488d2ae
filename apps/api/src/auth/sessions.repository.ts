import { Injectable } from '@nestjs/common';
import { DataSource, IsNull, MoreThan } from 'typeorm';
import type { Transaction } from '../database/transaction.js';
import type { UserRole } from './authenticated-user.js';
import { RefreshTokenEntity } from './refresh-token.entity.js';
import { SessionEntity } from './session.entity.js';

/** Sign-ins of one user that are kept at once; beyond it the oldest ends. */
const MOST_SESSIONS = 20;

/** A sign-in that is neither expired nor revoked, of a user who is not disabled. */
export interface LiveSession {
  sessionId: string;
  id: string;
  username: string;
  role: UserRole;
  mustChangePassword: boolean;
}

/** The tables of sign-ins and refresh tokens. */
@Injectable()
export class SessionsRepository {
  constructor(private readonly dataSource: DataSource) {}

  /** Which of these sign-ins are live, by their id. */
  async findLive(sessionIds: readonly string[]): Promise<Map<string, LiveSession>> {
    const rows = await this.dataSource.query<LiveSession[]>(
      `SELECT s.id AS "sessionId", u.id, u.username, u.role, u.must_change_password AS "mustChangePassword"
       FROM auth_sessions s JOIN users u ON u.id = s.user_id
       WHERE s.id = ANY($1::uuid[]) AND s.revoked_at IS NULL AND s.expires_at > now() AND u.disabled_at IS NULL`,
      [sessionIds],
    );
    return new Map(rows.map((row) => [row.sessionId, row]));
  }

  /** Opens a sign-in with its first refresh token; drops the user's expired ones and the oldest beyond the cap. */
  async open(
    tx: Transaction,
    session: Pick<SessionEntity, 'userId' | 'expiresAt' | 'userAgent' | 'address'>,
    tokenHash: string,
  ): Promise<string> {
    const { userId } = session;
    await tx.query('DELETE FROM auth_sessions WHERE user_id = $1 AND expires_at < now()', [userId]);
    await tx.query(
      `DELETE FROM auth_sessions WHERE id IN
         (SELECT id FROM auth_sessions WHERE user_id = $1 ORDER BY created_at DESC OFFSET $2)`,
      [userId, MOST_SESSIONS - 1],
    );
    const { id } = await tx.save(SessionEntity, { ...session, generation: 1, revokedAt: null });
    await tx.insert(RefreshTokenEntity, { hash: tokenHash, sessionId: id, generation: 1, usedAt: null });
    return id;
  }

  /** A user's live sign-ins, newest first; {@link MOST_SESSIONS} at most. */
  list(userId: string): Promise<SessionEntity[]> {
    return this.dataSource.manager.find(SessionEntity, {
      where: { userId, revokedAt: IsNull(), expiresAt: MoreThan(new Date()) },
      order: { createdAt: 'DESC', id: 'DESC' },
      take: MOST_SESSIONS,
    });
  }

  async findByToken(tokenHash: string): Promise<string | null> {
    const known = await this.dataSource.manager.findOneBy(RefreshTokenEntity, { hash: tokenHash });
    return known?.sessionId ?? null;
  }

  /** The sign-in a refresh token belongs to, locked until the transaction ends, and the token as it is then. */
  async lockByToken(
    tx: Transaction,
    tokenHash: string,
  ): Promise<{ session: SessionEntity; token: RefreshTokenEntity } | null> {
    const known = await tx.findOneBy(RefreshTokenEntity, { hash: tokenHash });
    if (known === null) return null;
    const session = await tx.findOne(SessionEntity, {
      where: { id: known.sessionId },
      lock: { mode: 'pessimistic_write' },
    });
    // Read again: another refresh may have used it while this one waited for the lock.
    const token = await tx.findOneBy(RefreshTokenEntity, { hash: tokenHash });
    return session === null || token === null ? null : { session, token };
  }

  /** How many tokens of a generation there are, and whether any was used. */
  async generationState(
    tx: Transaction,
    sessionId: string,
    generation: number,
  ): Promise<{ count: number; used: boolean }> {
    const tokens = await tx.findBy(RefreshTokenEntity, { sessionId, generation });
    return { count: tokens.length, used: tokens.some(({ usedAt }) => usedAt !== null) };
  }

  async addToken(tx: Transaction, session: SessionEntity, generation: number, tokenHash: string): Promise<void> {
    await tx.insert(RefreshTokenEntity, { hash: tokenHash, sessionId: session.id, generation, usedAt: null });
    const changes = { generation: Math.max(session.generation, generation), lastUsedAt: new Date() };
    await tx.update(SessionEntity, { id: session.id }, changes);
  }

  async markUsed(tx: Transaction, tokenHash: string, usedAt: Date): Promise<void> {
    await tx.update(RefreshTokenEntity, { hash: tokenHash }, { usedAt });
  }

  /** Ends a live sign-in of this user. @returns whether there was one. */
  async revokeOwn(sessionId: string, userId: string): Promise<boolean> {
    const { affected } = await this.dataSource.manager.update(
      SessionEntity,
      { id: sessionId, userId, revokedAt: IsNull(), expiresAt: MoreThan(new Date()) },
      { revokedAt: new Date() },
    );
    return affected === 1;
  }

  /** Ends a sign-in: none of its tokens is good for anything any more. */
  async revoke(sessionId: string, tx: Transaction = this.dataSource.manager): Promise<void> {
    await tx.query('UPDATE auth_sessions SET revoked_at = now() WHERE id = $1 AND revoked_at IS NULL', [sessionId]);
  }

  /** Ends all sign-ins of a user, but one if given. */
  async revokeAll(
    userId: string,
    except: string | null = null,
    tx: Transaction = this.dataSource.manager,
  ): Promise<void> {
    await tx.query(
      'UPDATE auth_sessions SET revoked_at = now() WHERE user_id = $1 AND revoked_at IS NULL AND id IS DISTINCT FROM $2',
      [userId, except],
    );
  }
}
