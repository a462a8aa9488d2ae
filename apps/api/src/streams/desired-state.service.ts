import { Injectable } from '@nestjs/common';
import type { StatusReason } from '#libs/contracts/primitives.js';
import type { AuthenticatedUser } from '../auth/authenticated-user.js';
import { AuditTrail } from '../audit/audit-trail.js';
import { AppEvents } from '../events/app-events.js';
import type { StreamEntity } from './stream.entity.js';
import { StreamsRepository } from './streams.repository.js';
import { StreamsService } from './streams.service.js';

/** What should be watched: the truth that captures are reconciled against. */
@Injectable()
export class DesiredState {
  constructor(
    private readonly repository: StreamsRepository,
    private readonly streams: StreamsService,
    private readonly events: AppEvents,
    private readonly audit: AuditTrail,
  ) {}

  /** All streams that should be watched. */
  all(): Promise<StreamEntity[]> {
    return this.repository.desired();
  }

  /** Commits that a stream should be watched, or not. @throws AppError `stream.not_found`. */
  async set(viewer: AuthenticatedUser, id: string, desired: boolean): Promise<StreamEntity> {
    await this.streams.entity(viewer, id);
    const changed = await this.repository.setDesired(id, desired);
    const row = await this.streams.entity(viewer, id);
    if (changed) {
      this.tell(row);
      await this.record(desired ? 'stream.started' : 'stream.stopped', row);
    }
    return row;
  }

  /** Begins every desired stream anew, or those of the ids. @returns the ones that were begun anew. */
  async restart(ids: readonly string[] | null): Promise<StreamEntity[]> {
    const rows = await this.repository.restart(ids);
    for (const row of rows) {
      this.tell(row);
      await this.record('stream.restarted', row);
    }
    return rows;
  }

  /** Says that nobody watches a stream at present, unless its session said something meanwhile. */
  async markPending(row: StreamEntity, reason: StatusReason | null, detail: string): Promise<void> {
    if (!(await this.repository.markPending(row, reason, detail))) return;
    const at = new Date().toISOString();
    this.events.emit('stream.status', { streamId: row.id, status: 'pending', reason, detail, at });
  }

  private record(action: `stream.${string}`, { id, name, generation }: StreamEntity): Promise<void> {
    return this.audit.record({ action, target: { type: 'stream', id, name }, after: { generation } });
  }

  private tell({ id, status, reason, detail, statusAt }: StreamEntity): void {
    this.events.emit('stream.changed', { streamId: id, change: 'monitoring' });
    this.events.emit('stream.status', { streamId: id, status, reason, detail, at: statusAt.toISOString() });
  }
}
