import { Injectable } from '@nestjs/common';
import type { AuthenticatedUser } from '../../auth/authenticated-user.js';
import { StreamsService } from '../../streams/streams.service.js';
import { RulePublisher } from '../rule-publisher.js';
import { viewOf, type CreateZoneRequest, type UpdateZoneRequest, type ZoneList, type ZoneView } from './zones.dto.js';
import { zoneNotFound } from './zones.errors.js';
import { ZonesRepository } from './zones.repository.js';

/** Zones of the streams that the viewer may see. Every method throws AppError `stream.not_found`. */
@Injectable()
export class ZonesService {
  constructor(
    private readonly repository: ZonesRepository,
    private readonly streams: StreamsService,
    private readonly publisher: RulePublisher,
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
    return viewOf(row);
  }

  /** @throws AppError `zone.not_found`, `zone.name.conflict`. */
  async update(viewer: AuthenticatedUser, streamId: string, id: string, request: UpdateZoneRequest): Promise<ZoneView> {
    await this.get(viewer, streamId, id);
    const row = await this.repository.update(streamId, id, request);
    if (row === null) throw zoneNotFound();
    await this.publisher.changed();
    return viewOf(row);
  }

  /** @throws AppError `zone.not_found`. */
  async remove(viewer: AuthenticatedUser, streamId: string, id: string): Promise<void> {
    await this.get(viewer, streamId, id);
    if (!(await this.repository.remove(streamId, id))) throw zoneNotFound();
    await this.publisher.changed();
  }
}
