import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { IdempotencyKeyEntity } from './idempotency-key.entity.js';

/** For so long an answer is kept, in ms. */
const KEPT_MS = 24 * 3_600_000;
/** After so long a request without an answer is taken for dead (its process ended), in ms. */
const ABANDONED_MS = 60_000;
/** Old answers that one request removes at most. */
const MOST_REMOVED = 50;

/** What names a repeated request. */
export type RequestKey = Pick<IdempotencyKeyEntity, 'userId' | 'route' | 'keyHash'>;

/** The table of requests that may come again. */
@Injectable()
export class IdempotencyRepository {
  constructor(private readonly dataSource: DataSource) {}

  /** Takes a request up, unless one of this key is known. @returns whether it is the caller's to do. */
  async claim(key: RequestKey, fingerprint: string, claim: string, now = Date.now()): Promise<boolean> {
    const expired = new Date(now - KEPT_MS);
    await this.dataSource.query(
      `DELETE FROM idempotency_keys WHERE (user_id, route, key_hash) IN (
         SELECT user_id, route, key_hash FROM idempotency_keys WHERE created_at < $1
         ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED)`,
      [expired, MOST_REMOVED],
    );
    const rows = await this.dataSource.query<unknown[]>(
      `INSERT INTO idempotency_keys AS k (user_id, route, key_hash, fingerprint, claim, created_at)
       VALUES ($1, $2, $3, $4, $5, $6)
       ON CONFLICT (user_id, route, key_hash) DO UPDATE
         SET fingerprint = excluded.fingerprint, claim = excluded.claim, created_at = excluded.created_at,
             status = NULL, answer = NULL
         WHERE k.created_at < $7 OR (k.status IS NULL AND k.created_at < $8)
       RETURNING 1`,
      [key.userId, key.route, key.keyHash, fingerprint, claim, new Date(now), expired, new Date(now - ABANDONED_MS)],
    );
    return rows.length > 0;
  }

  find({ userId, route, keyHash }: RequestKey): Promise<IdempotencyKeyEntity | null> {
    return this.dataSource.manager.findOneBy(IdempotencyKeyEntity, { userId, route, keyHash });
  }

  /** Keeps the answer, unless another request took the key over. */
  async answer({ userId, route, keyHash }: RequestKey, claim: string, status: number, answer: Buffer): Promise<void> {
    await this.dataSource.manager.update(IdempotencyKeyEntity, { userId, route, keyHash, claim }, { status, answer });
  }

  /** Forgets a request that came to nothing: it may come again. */
  async release({ userId, route, keyHash }: RequestKey, claim: string): Promise<void> {
    await this.dataSource.manager.delete(IdempotencyKeyEntity, { userId, route, keyHash, claim });
  }
}
