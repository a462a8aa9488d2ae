import { Inject, Injectable } from '@nestjs/common';
import { messageOf } from '#libs/errors/app-error.js';
import type { Logger } from '#libs/observability/logger.js';
import type { Transaction } from '../database/transaction.js';
import { requestOrigin } from '../http/request-context.js';
import { LOGGER } from '../runtime.module.js';
import { AuditRepository } from './audit.repository.js';
import { difference } from './redaction.js';

/** Something that was done to something. */
export interface AuditedAct {
  /** What was done, e.g. `stream.updated`: the target's type and a verb in the past. */
  action: `${string}.${string}`;
  target: { type: string; id: string; name?: string };
  /** The target before and after, whole: what did not change is left out, secrets are redacted. */
  before?: object | null;
  after?: object | null;
  /** Who did it, where it is not the request's user (a sign-in). */
  actor?: { id: string | null; name: string };
}

/** Writes down who did what to what. */
@Injectable()
export class AuditTrail {
  constructor(
    private readonly repository: AuditRepository,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /**
   * Adds an entry. Within a transaction it stands or falls with what it tells of. After one, a failure to write is
   * logged with the whole entry and does not undo what was done.
   */
  async record(act: AuditedAct, tx: Transaction | null = null): Promise<void> {
    const { userId, username, requestId, address } = requestOrigin();
    const { action, target, actor } = act;
    const entry = {
      actorId: actor === undefined ? userId : actor.id,
      actorName: (actor?.name ?? username).slice(0, 200),
      action,
      targetType: target.type,
      targetId: target.id,
      targetName: (target.name ?? '').slice(0, 200),
      ...difference(act.before ?? null, act.after ?? null),
      requestId,
      address,
    };
    try {
      await this.repository.insert(entry, tx);
    } catch (error) {
      if (tx !== null) throw error;
      this.logger.error({ entry, error: messageOf(error) }, 'an entry of the audit trail could not be written');
    }
  }
}
