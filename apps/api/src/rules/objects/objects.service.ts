import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { AuditTrail } from '../../audit/audit-trail.js';
import type { Precondition } from '../../http/etag.js';
import { decodeCursor, toPage, type Page, type PageQuery } from '../../http/pagination.js';
import {
  viewOf,
  type CreateObjectRuleRequest,
  type ObjectRuleView,
  type UpdateObjectRuleRequest,
} from './objects.dto.js';
import { ruleNotFound } from './objects.errors.js';
import { RulePublisher } from '../rule-publisher.js';
import { ObjectsRepository } from './objects.repository.js';

const Position = z.tuple([z.string(), z.uuid()]);

/** The watch list. */
@Injectable()
export class ObjectsService {
  constructor(
    private readonly repository: ObjectsRepository,
    private readonly publisher: RulePublisher,
    private readonly audit: AuditTrail,
  ) {}

  async list({ limit, cursor }: PageQuery): Promise<Page<ObjectRuleView>> {
    const rows = await this.repository.list(decodeCursor(cursor, Position), limit + 1);
    return toPage(rows, limit, (row) => [row.label, row.id], viewOf);
  }

  /** @throws AppError `object_rule.not_found`. */
  async get(id: string): Promise<ObjectRuleView> {
    const row = await this.repository.find(id);
    if (row === null) throw ruleNotFound();
    return viewOf(row);
  }

  /** @throws AppError `object_rule.label.conflict`. */
  async create(request: CreateObjectRuleRequest): Promise<ObjectRuleView> {
    const row = await this.repository.create(request);
    await this.publisher.changed();
    const view = viewOf(row);
    await this.record('object_rule.created', null, view);
    return view;
  }

  /** @throws AppError `object_rule.not_found`, `object_rule.label.conflict`, `request.version.precondition_failed`. */
  async update(id: string, request: UpdateObjectRuleRequest, precondition: Precondition): Promise<ObjectRuleView> {
    await this.get(id);
    const updated = await this.repository.update(id, request, precondition);
    if (updated === null) throw ruleNotFound();
    await this.publisher.changed();
    const view = viewOf(updated.row);
    await this.record('object_rule.updated', viewOf(updated.before), view);
    return view;
  }

  /** @throws AppError `object_rule.not_found`, `request.version.precondition_failed`. */
  async remove(id: string, precondition: Precondition): Promise<void> {
    await this.get(id);
    const before = await this.repository.remove(id, precondition);
    if (before === null) throw ruleNotFound();
    await this.publisher.changed();
    await this.record('object_rule.deleted', viewOf(before), null);
  }

  private record(
    action: `object_rule.${string}`,
    before: ObjectRuleView | null,
    after: ObjectRuleView | null,
  ): Promise<void> {
    const { id, label } = after ?? before ?? { id: '', label: '' };
    return this.audit.record({ action, target: { type: 'object_rule', id, name: label }, before, after });
  }
}
