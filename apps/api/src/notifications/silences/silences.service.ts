import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { AppError } from '#libs/errors/app-error.js';
import { AuditTrail } from '../../audit/audit-trail.js';
import type { AuthenticatedUser } from '../../auth/authenticated-user.js';
import { decodeCursor, toPage, type Page } from '../../http/pagination.js';
import {
  viewOf,
  type CreateSilenceRequest,
  type SilenceQuery,
  type SilenceView,
  type UpdateSilenceRequest,
} from './silences.dto.js';
import { SilencesRepository, type SilenceRow } from './silences.repository.js';

const Position = z.tuple([z.iso.datetime(), z.uuid()]);

/** What nobody wants to hear of for a while. Holds from its commit on: hits are looked up against it as they come. */
@Injectable()
export class SilencesService {
  constructor(
    private readonly repository: SilencesRepository,
    private readonly audit: AuditTrail,
  ) {}

  async list({ limit, cursor, active }: SilenceQuery): Promise<Page<SilenceView>> {
    const rows = await this.repository.list(active === true, decodeCursor(cursor, Position), limit + 1);
    return toPage(rows, limit, (row) => [row.endsAt.toISOString(), row.id], viewOf);
  }

  /** @throws AppError `silence.not_found`. */
  async get(id: string): Promise<SilenceView> {
    return viewOf(await this.row(id));
  }

  /** @throws AppError `stream.not_found`. */
  async create(user: AuthenticatedUser, request: CreateSilenceRequest): Promise<SilenceView> {
    const { streamId, ruleId, label, startsAt, endsAt, reason } = request;
    const row = await this.repository.create({
      ...{ streamId, ruleId, label, reason, createdBy: user.id },
      startsAt: startsAt === undefined ? new Date() : new Date(startsAt),
      endsAt: new Date(endsAt),
    });
    if (row === null) throw new AppError('stream.not_found', 'user', 'There is no such stream.');
    await this.record('silence.created', null, row);
    return viewOf(row);
  }

  /** @throws AppError `silence.not_found`, `silence.end.conflict`. */
  async update(id: string, { endsAt, reason }: UpdateSilenceRequest): Promise<SilenceView> {
    const before = await this.row(id);
    const end = endsAt === undefined ? before.endsAt : new Date(endsAt);
    if (end <= before.startsAt) {
      throw new AppError('silence.end.conflict', 'user', 'It must end after it starts: delete it to end it at once.');
    }
    await this.repository.update(id, end, reason ?? before.reason);
    const after = await this.row(id);
    await this.record('silence.updated', before, after);
    return viewOf(after);
  }

  /** @throws AppError `silence.not_found`. */
  async remove(id: string): Promise<void> {
    const row = await this.row(id);
    await this.repository.remove(id);
    await this.record('silence.deleted', row, null);
  }

  private async row(id: string): Promise<SilenceRow> {
    const row = await this.repository.find(id);
    if (row === null) throw new AppError('silence.not_found', 'user', 'There is no such silence.');
    return row;
  }

  private async record(
    action: `silence.${string}`,
    before: SilenceRow | null,
    after: SilenceRow | null,
  ): Promise<void> {
    const row = after ?? before;
    const shown = (side: SilenceRow | null): object | null => (side === null ? null : viewOf(side));
    await this.audit.record({
      ...{ action, target: { type: 'silence', id: row?.id ?? '', name: row?.reason ?? '' } },
      ...{ before: shown(before), after: shown(after) },
    });
  }
}
