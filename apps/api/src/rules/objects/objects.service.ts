import { Injectable } from '@nestjs/common';
import { z } from 'zod';
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
    return viewOf(row);
  }

  /** @throws AppError `object_rule.not_found`, `object_rule.label.conflict`. */
  async update(id: string, request: UpdateObjectRuleRequest): Promise<ObjectRuleView> {
    await this.get(id);
    const row = await this.repository.update(id, request);
    if (row === null) throw ruleNotFound();
    await this.publisher.changed();
    return viewOf(row);
  }

  /** @throws AppError `object_rule.not_found`. */
  async remove(id: string): Promise<void> {
    await this.get(id);
    if (!(await this.repository.remove(id))) throw ruleNotFound();
    await this.publisher.changed();
  }
}
