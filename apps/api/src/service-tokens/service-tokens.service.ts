import { createHash, randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { AppError } from '#libs/errors/app-error.js';
import { AuditTrail } from '../audit/audit-trail.js';
import { unauthorized } from '../auth/auth.errors.js';
import { decodeCursor, toPage, type Page, type PageQuery } from '../http/pagination.js';
import type { ServiceTokenScope } from './service-scope.js';
import {
  viewOf,
  type CreateServiceTokenRequest,
  type NewServiceToken,
  type ServiceToken,
} from './service-tokens.dto.js';
import { ServiceTokensRepository } from './service-tokens.repository.js';

/** `vst_` and 32 random bytes. */
const TOKEN = /^vst_[A-Za-z0-9_-]{43}$/;
/** That a token was used is noted at most once in so long, ms. */
const USE_GRACE_MS = 60_000;

const Position = z.tuple([z.string(), z.uuid()]);

/** Keys of other programs, each for what it may do and nothing else. */
@Injectable()
export class ServiceTokensService {
  constructor(
    private readonly repository: ServiceTokensRepository,
    private readonly audit: AuditTrail,
  ) {}

  async list({ limit, cursor }: PageQuery): Promise<Page<ServiceToken>> {
    const rows = await this.repository.list(decodeCursor(cursor, Position), limit + 1);
    return toPage(rows, limit, ({ name, id }) => [name, id], viewOf);
  }

  /** Makes a token; only this answer ever has it. */
  async create(createdBy: string, { name, scopes }: CreateServiceTokenRequest): Promise<NewServiceToken> {
    const token = `vst_${randomBytes(32).toString('base64url')}`;
    const row = await this.repository.create({ name, scopes, createdBy, hash: hashOf(token) });
    const view = viewOf(row);
    const target = { type: 'service_token', id: view.id, name };
    await this.audit.record({ action: 'service_token.created', target, after: view });
    return { ...view, token };
  }

  /** From the next request on it is refused. @throws AppError `service_token.not_found` */
  async revoke(id: string): Promise<void> {
    const row = await this.repository.revoke(id);
    if (row === null) throw new AppError('service_token.not_found', 'user', 'There is no such service token.');
    await this.audit.record({ action: 'service_token.revoked', target: { type: 'service_token', id, name: row.name } });
  }

  /**
   * Lets a token in that may do this. Asks the database each time, so that a revocation counts at once.
   * @throws AppError `auth.unauthorized`, `service_token.scope.forbidden`
   */
  async admit(token: string, scope: ServiceTokenScope): Promise<void> {
    const row = TOKEN.test(token) ? await this.repository.findLive(hashOf(token)) : null;
    if (row === null) throw unauthorized();
    if (!row.scopes.includes(scope)) {
      throw new AppError(
        'service_token.scope.forbidden',
        'user',
        `This service token is not for ${scope}: make one with that scope.`,
      );
    }
    await this.repository.touch(row, USE_GRACE_MS);
  }
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
