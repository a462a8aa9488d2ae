import { Injectable } from '@nestjs/common';
import { Signal } from '#libs/contracts/primitives.js';
import { RulePublisher } from '../rule-publisher.js';
import {
  signalNotFound,
  viewOf,
  type SignalRuleList,
  type SignalRuleView,
  type UpdateSignalRuleRequest,
} from './signals.dto.js';
import type { SignalRuleEntity } from './signal-rule.entity.js';
import { SignalsRepository } from './signals.repository.js';

/** What is told without any rule of an operator's; whether, how gravely and how often is theirs to say. */
@Injectable()
export class SignalsService {
  constructor(
    private readonly repository: SignalsRepository,
    private readonly publisher: RulePublisher,
  ) {}

  async list(): Promise<SignalRuleList> {
    return { items: (await this.repository.list()).map(viewOf) };
  }

  /** @throws AppError `signal.not_found`. */
  async get(name: string): Promise<SignalRuleView> {
    return viewOf(await this.row(name));
  }

  /** @throws AppError `signal.not_found`. */
  async update(name: string, request: UpdateSignalRuleRequest): Promise<SignalRuleView> {
    const { signal } = await this.row(name);
    const row = await this.repository.update(signal, request);
    if (row === null) throw signalNotFound();
    await this.publisher.changed();
    return viewOf(row);
  }

  private async row(name: string): Promise<SignalRuleEntity> {
    const signal = Signal.safeParse(name);
    const row = signal.success ? await this.repository.find(signal.data) : null;
    if (row === null) throw signalNotFound();
    return row;
  }
}
