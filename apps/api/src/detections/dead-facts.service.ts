import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { DeadFacts } from '#libs/bus/dead-facts.js';
import { AuditTrail } from '../audit/audit-trail.js';
import { decodeCursor, toPage, type Page, type PageQuery } from '../http/pagination.js';
import { DeadFactId, type DeadFactView, type RedrivenFacts, type RedriveFactsRequest } from './dead-facts.dto.js';

const Position = z.tuple([DeadFactId]);
/** Facts that are tried anew at once. */
const MOST = 1_000;
/** Characters of a fact that are shown. */
const MOST_SHOWN = 4_000;

/** What could not be stored, and another try for it. */
@Injectable()
export class DeadFactsService {
  constructor(
    private readonly facts: DeadFacts,
    private readonly audit: AuditTrail,
  ) {}

  /** Newest first. */
  async list({ limit, cursor }: PageQuery): Promise<Page<DeadFactView>> {
    const facts = await this.facts.list(decodeCursor(cursor, Position)?.[0] ?? null, limit + 1);
    return toPage(
      facts,
      limit,
      ({ id }) => [id],
      ({ id, raw, reason }) => ({
        ...{ id, reason, fact: raw.slice(0, MOST_SHOWN) },
        at: new Date(Number(id.split('-')[0])).toISOString(),
      }),
    );
  }

  /** Has the ingest try them anew. */
  async redrive({ ids }: RedriveFactsRequest): Promise<RedrivenFacts> {
    const redriven = await this.facts.redrive(ids ?? null, MOST);
    const target = { type: 'fact', id: '', name: 'dead facts' };
    await this.audit.record({ action: 'fact.redriven', target, after: { redriven } });
    return { redriven };
  }
}
