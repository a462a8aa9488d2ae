import { Injectable } from '@nestjs/common';
import { Signal } from '#libs/contracts/primitives.js';
import { AuditTrail } from '../../audit/audit-trail.js';
import type { Precondition } from '../../http/etag.js';
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
    private readonly audit: AuditTrail,
  ) {}

  async list(): Promise<SignalRuleList> {
    return { items: (await this.repository.list()).map(viewOf) };
  }

  /** @throws AppError `signal.not_found`. */
  async get(name: string): Promise<SignalRuleView> {
    return viewOf(await this.row(name));
  }

  /** @throws AppError `signal.not_found`, `request.version.precondition_failed`. */
  async update(name: string, request: UpdateSignalRuleRequest, precondition: Precondition): Promise<SignalRuleView> {
    const { signal } = await this.row(name);
    const updated = await this.repository.update(signal, request, precondition);
    if (updated === null) throw signalNotFound();
    await this.publisher.changed();
    const after = viewOf(updated.row);
    const target = { type: 'signal', id: signal, name: after.title };
    await this.audit.record({ action: 'signal.updated', target, before: viewOf(updated.before), after });
    return after;
  }

  private async row(name: string): Promise<SignalRuleEntity> {
    const signal = Signal.safeParse(name);
    const row = signal.success ? await this.repository.find(signal.data) : null;
    if (row === null) throw signalNotFound();
    return row;
  }
}
