import { Inject, Injectable } from '@nestjs/common';
import { z } from 'zod';
import { within } from '#libs/bus/deadline.js';
import { RuleBoard } from '#libs/bus/rule-board.js';
import { messageOf } from '#libs/errors/app-error.js';
import type { Logger } from '#libs/observability/logger.js';
import { AppEvents } from '../events/app-events.js';
import { decodeCursor, toPage, type Page, type PageQuery } from '../http/pagination.js';
import { LOGGER } from '../runtime.module.js';
import {
  viewOf,
  type CreateObjectRuleRequest,
  type ObjectRuleView,
  type UpdateObjectRuleRequest,
} from './rules.dto.js';
import { ruleNotFound } from './rules.errors.js';
import { RulesRepository } from './rules.repository.js';

const Position = z.tuple([z.string(), z.uuid()]);
const BOARD_PATIENCE_MS = 1_500;

/** The watch list, and its way to the monitors. */
@Injectable()
export class RulesService {
  constructor(
    private readonly repository: RulesRepository,
    private readonly board: RuleBoard,
    private readonly events: AppEvents,
    @Inject(LOGGER) private readonly logger: Logger,
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
    await this.changed();
    return viewOf(row);
  }

  /** @throws AppError `object_rule.not_found`, `object_rule.label.conflict`. */
  async update(id: string, request: UpdateObjectRuleRequest): Promise<ObjectRuleView> {
    await this.get(id);
    const row = await this.repository.update(id, request);
    if (row === null) throw ruleNotFound();
    await this.changed();
    return viewOf(row);
  }

  /** @throws AppError `object_rule.not_found`. */
  async remove(id: string): Promise<void> {
    await this.get(id);
    if (!(await this.repository.remove(id))) throw ruleNotFound();
    await this.changed();
  }

  /** Puts the rules on the board unless the same ones are there. @throws when Redis is away. */
  async putUp(): Promise<void> {
    const rules = await this.repository.ruleSet();
    const there = await within(BOARD_PATIENCE_MS, this.board.get());
    if (there === null || there.version !== rules.version) await within(BOARD_PATIENCE_MS, this.board.put(rules));
  }

  private async changed(): Promise<void> {
    this.events.emit('rules.changed', {});
    await this.putUp().catch((error: unknown) => {
      this.logger.warn({ error: messageOf(error) }, 'the rules reach the monitors when Redis is back');
    });
  }
}
