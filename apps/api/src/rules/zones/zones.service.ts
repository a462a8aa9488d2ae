import { Injectable } from '@nestjs/common';
import { AuditTrail } from '../../audit/audit-trail.js';
import type { AuthenticatedUser } from '../../auth/authenticated-user.js';
import type { Precondition } from '../../http/etag.js';
import { StreamsService } from '../../streams/streams.service.js';
import { RulePublisher } from '../rule-publisher.js';
import { viewOf, type CreateZoneRequest, type UpdateZoneRequest, type ZoneList, type ZoneView } from './zones.dto.js';
import { zoneNotFound } from './zones.errors.js';
import { ZonesRepository, type ZoneKey } from './zones.repository.js';

/** Zones of the streams that the viewer may see. Every method throws AppError `stream.not_found`. */
@Injectable()
export class ZonesService {
  constructor(
    private readonly repository: ZonesRepository,
    private readonly streams: StreamsService,
    private readonly publisher: RulePublisher,
    private readonly audit: AuditTrail,
  ) {}

  async list(viewer: AuthenticatedUser, streamId: string): Promise<ZoneList> {
    await this.streams.entity(viewer, streamId);
    return { items: (await this.repository.list(streamId)).map(viewOf) };
  }

  /** @throws AppError `zone.not_found`. */
  async get(viewer: AuthenticatedUser, streamId: string, id: string): Promise<ZoneView> {
    await this.streams.entity(viewer, streamId);
    const row = await this.repository.find(streamId, id);
    if (row === null) throw zoneNotFound();
    return viewOf(row);
  }

  /** @throws AppError `zone.name.conflict`, `zone.limit.conflict`. */
  async create(viewer: AuthenticatedUser, streamId: string, request: CreateZoneRequest): Promise<ZoneView> {
    await this.streams.entity(viewer, streamId);
    const row = await this.repository.create(streamId, request);
    await this.publisher.changed();
    const view = viewOf(row);
    await this.record('zone.created', null, view);
    return view;
  }

  /** @throws AppError `zone.not_found`, `zone.name.conflict`, `request.version.precondition_failed`. */
  async update(
    viewer: AuthenticatedUser,
    key: ZoneKey,
    request: UpdateZoneRequest,
    precondition: Precondition,
  ): Promise<ZoneView> {
    await this.get(viewer, key.streamId, key.id);
    const updated = await this.repository.update(key, request, precondition);
    if (updated === null) throw zoneNotFound();
    await this.publisher.changed();
    const view = viewOf(updated.row);
    await this.record('zone.updated', viewOf(updated.before), view);
    return view;
  }

  /** @throws AppError `zone.not_found`, `request.version.precondition_failed`. */
  async remove(viewer: AuthenticatedUser, key: ZoneKey, precondition: Precondition): Promise<void> {
    await this.get(viewer, key.streamId, key.id);
    const before = await this.repository.remove(key, precondition);
    if (before === null) throw zoneNotFound();
    await this.publisher.changed();
    await this.record('zone.deleted', viewOf(before), null);
  }

  private record(action: `zone.${string}`, before: ZoneView | null, after: ZoneView | null): Promise<void> {
    const { id, name } = after ?? before ?? { id: '', name: '' };
    return this.audit.record({ action, target: { type: 'zone', id, name }, before, after });
  }
}
