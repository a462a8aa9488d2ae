import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { AuditTrail } from '../audit/audit-trail.js';
import type { AuthenticatedUser } from '../auth/authenticated-user.js';
import { AppEvents } from '../events/app-events.js';
import type { Precondition } from '../http/etag.js';
import { decodeCursor, toPage, type Page } from '../http/pagination.js';
import type { StreamEntity } from './stream.entity.js';
import {
  viewOf,
  type CreateStreamRequest,
  type SetStatusRequest,
  type Stream,
  type StreamQuery,
  type UpdateStreamRequest,
} from './streams.dto.js';
import { streamIsWatched, streamNotFound } from './streams.errors.js';
import { StreamsRepository } from './streams.repository.js';

const Position = z.tuple([z.string(), z.uuid()]);

/** What is watched. Commands to the monitors are the monitoring room's; it hears `stream.changed`. */
@Injectable()
export class StreamsService {
  constructor(
    private readonly repository: StreamsRepository,
    private readonly events: AppEvents,
    private readonly audit: AuditTrail,
  ) {}

  /** All for an admin, the assigned ones for an agent. */
  async list(viewer: AuthenticatedUser, query: StreamQuery): Promise<Page<Stream>> {
    const { limit, cursor, platform, status, monitored, agentId } = query;
    const after = decodeCursor(cursor, Position);
    const filter = { platform, status, monitored, agentId, search: undefined };
    const rows = await this.repository.list(viewer, { ...filter, after, limit: limit + 1 });
    return toPage(
      rows,
      limit,
      (row) => [row.name, row.id],
      (row) => viewOf(row, viewer),
    );
  }

  /** Those that the viewer may see with this in their name, by name. @param search all when empty. */
  async search(viewer: AuthenticatedUser, search: string, limit: number): Promise<Stream[]> {
    const filter = { platform: undefined, status: undefined, monitored: undefined, agentId: undefined };
    const rows = await this.repository.list(viewer, { ...filter, search, after: null, limit });
    return rows.map((row) => viewOf(row, viewer));
  }

  /** @throws AppError `stream.not_found`. */
  async get(viewer: AuthenticatedUser, id: string): Promise<Stream> {
    return viewOf(await this.entity(viewer, id), viewer);
  }

  /** The row, for rooms that need more than the view. @throws AppError `stream.not_found`. */
  async entity(viewer: AuthenticatedUser, id: string): Promise<StreamEntity> {
    const row = await this.repository.find(viewer, id);
    if (row === null) throw streamNotFound();
    return row;
  }

  /** The row, for callers that are no users. @throws AppError `stream.not_found`. */
  async known(id: string): Promise<StreamEntity> {
    const row = await this.repository.findAny(id);
    if (row === null) throw streamNotFound();
    return row;
  }

  /** Streams that should be watched with their chat, which is this channel of this platform. */
  withChat(platform: string, channel: string): Promise<StreamEntity[]> {
    return this.repository.withChat(platform, channel);
  }

  /** @throws AppError `stream.name.conflict`. */
  async create(viewer: AuthenticatedUser, request: CreateStreamRequest): Promise<Stream> {
    const row = await this.repository.create(request);
    this.events.emit('stream.changed', { streamId: row.id, change: 'created' });
    const view = viewOf(row, viewer);
    await this.record('stream.created', null, view);
    return view;
  }

  /** @throws AppError `stream.not_found`, `stream.name.conflict`, `request.version.precondition_failed`. */
  async update(
    viewer: AuthenticatedUser,
    id: string,
    request: UpdateStreamRequest,
    precondition: Precondition,
  ): Promise<Stream> {
    const before = await this.get(viewer, id);
    const updated = await this.repository.update(id, request, precondition);
    if (updated === null) throw streamNotFound();
    this.events.emit('stream.changed', { streamId: id, change: 'updated' });
    const view = viewOf(updated.row, viewer);
    await this.record('stream.updated', before, view);
    return view;
  }

  /** Notes what somebody has seen of a stream that is not watched. @throws AppError `stream.not_found`, `stream.status.conflict`. */
  async setStatus(viewer: AuthenticatedUser, id: string, { status, detail }: SetStatusRequest): Promise<Stream> {
    const before = await this.get(viewer, id);
    if (!(await this.repository.setStatus(id, status, detail))) throw streamIsWatched();
    const after = await this.get(viewer, id);
    this.events.emit('stream.status', { streamId: id, status, reason: null, detail, at: after.status.since });
    await this.record('stream.status_set', before, after);
    return after;
  }

  /**
   * Ends the watching of a stream and removes it.
   * @throws AppError `stream.not_found`, `request.version.precondition_failed`.
   */
  async remove(viewer: AuthenticatedUser, id: string, precondition: Precondition): Promise<void> {
    const before = await this.get(viewer, id);
    if (!(await this.repository.remove(id, precondition))) throw streamNotFound();
    this.events.emit('stream.changed', { streamId: id, change: 'deleted' });
    await this.record('stream.deleted', before, null);
  }

  private record(action: `stream.${string}`, before: Stream | null, after: Stream | null): Promise<void> {
    const { id, name } = after ?? before ?? { id: '', name: '' };
    return this.audit.record({ action, target: { type: 'stream', id, name }, before, after });
  }
}
