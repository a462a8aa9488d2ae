import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { Repository } from 'typeorm';
import { isForeignKeyViolation, uniqueViolation } from '../database/constraint-violations.js';
import { StreamEntity } from '../streams/stream.entity.js';
import { UserEntity } from '../users/user.entity.js';
import { AssignmentEntity } from './assignment.entity.js';
import { assignmentExists, assignmentTargetMissing } from './assignments.errors.js';

/** An assignment with the names a person wants to read. */
export interface NamedAssignment extends Pick<AssignmentEntity, 'id' | 'agentId' | 'streamId' | 'createdAt'> {
  agentUsername: string;
  streamName: string;
}

interface AssignmentFilter {
  streamId: string | undefined;
  agentId: string | undefined;
  id?: string;
  /** Only those after this id. */
  after: string | null;
  limit: number;
}

/** The table of assignments. */
@Injectable()
export class AssignmentsRepository {
  constructor(@InjectRepository(AssignmentEntity) private readonly rows: Repository<AssignmentEntity>) {}

  list({ streamId, agentId, id, after, limit }: AssignmentFilter): Promise<NamedAssignment[]> {
    const query = this.rows
      .createQueryBuilder('a')
      .innerJoin(UserEntity, 'u', 'u.id = a.agent_id')
      .innerJoin(StreamEntity, 's', 's.id = a.stream_id')
      .select('a.id', 'id')
      .addSelect('a.agent_id', 'agentId')
      .addSelect('a.stream_id', 'streamId')
      .addSelect('a.created_at', 'createdAt')
      .addSelect('u.username', 'agentUsername')
      .addSelect('s.name', 'streamName')
      .orderBy('a.id')
      .limit(limit);
    if (streamId !== undefined) query.andWhere('a.stream_id = :streamId', { streamId });
    if (agentId !== undefined) query.andWhere('a.agent_id = :agentId', { agentId });
    if (id !== undefined) query.andWhere('a.id = :id', { id });
    if (after !== null) query.andWhere('a.id > :after', { after });
    return query.getRawMany<NamedAssignment>();
  }

  /** @throws AppError `assignment.conflict`, `assignment.target.not_found`. */
  async create(agentId: string, streamId: string): Promise<NamedAssignment> {
    try {
      const { id } = await this.rows.save(this.rows.create({ agentId, streamId }));
      const [named] = await this.list({ id, streamId, agentId, after: null, limit: 1 });
      if (named !== undefined) return named;
    } catch (error) {
      if (uniqueViolation(error) === 'assignments_pair_key') throw assignmentExists();
      if (!isForeignKeyViolation(error)) throw error;
    }
    throw assignmentTargetMissing();
  }

  /** @returns what was there, null when nothing was. */
  async remove(id: string): Promise<AssignmentEntity | null> {
    const row = await this.rows.findOneBy({ id });
    if (row === null) return null;
    const { affected } = await this.rows.delete({ id });
    return (affected ?? 0) > 0 ? row : null;
  }

  /** The streams of each of these agents. */
  async streamsOf(agentIds: readonly string[]): Promise<Map<string, Set<string>>> {
    const rows = await this.rows.createQueryBuilder('a').where('a.agent_id = ANY(:agentIds)', { agentIds }).getMany();
    const streams = new Map<string, Set<string>>();
    for (const { agentId, streamId } of rows) {
      const known = streams.get(agentId) ?? new Set();
      streams.set(agentId, known.add(streamId));
    }
    return streams;
  }
}
