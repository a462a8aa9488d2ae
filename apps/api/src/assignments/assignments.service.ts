import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import type { AuthenticatedUser } from '../auth/authenticated-user.js';
import { AppEvents } from '../events/app-events.js';
import { decodeCursor, toPage, type Page } from '../http/pagination.js';
import { UsersService } from '../users/users.service.js';
import type { Assignment, AssignmentQuery, CreateAssignmentRequest } from './assignments.dto.js';
import { assignmentNotFound, assignmentTargetMissing } from './assignments.errors.js';
import { AssignmentsRepository, type NamedAssignment } from './assignments.repository.js';

const Position = z.tuple([z.uuid()]);

/** Which agent looks after which stream. */
@Injectable()
export class AssignmentsService {
  constructor(
    private readonly repository: AssignmentsRepository,
    private readonly users: UsersService,
    private readonly events: AppEvents,
  ) {}

  /** All of them for an admin, an agent's own. */
  async list(viewer: AuthenticatedUser, query: AssignmentQuery): Promise<Page<Assignment>> {
    const { limit, cursor, streamId, agentId } = query;
    if (viewer.role === 'agent' && agentId !== undefined && agentId !== viewer.id)
      return { items: [], nextCursor: null };
    const rows = await this.repository.list({
      streamId,
      agentId: viewer.role === 'agent' ? viewer.id : agentId,
      after: decodeCursor(cursor, Position)?.[0] ?? null,
      limit: limit + 1,
    });
    return toPage(rows, limit, (row) => [row.id], viewOf);
  }

  /** @throws AppError `assignment.conflict`, `assignment.target.not_found`. */
  async create({ agentId, streamId }: CreateAssignmentRequest): Promise<Assignment> {
    if ((await this.users.findAgent(agentId)) === null) throw assignmentTargetMissing();
    const row = await this.repository.create(agentId, streamId);
    this.events.emit('assignment.changed', { agentId, streamId, change: 'assigned' });
    return viewOf(row);
  }

  /** @throws AppError `assignment.not_found`. */
  async remove(id: string): Promise<void> {
    const row = await this.repository.remove(id);
    if (row === null) throw assignmentNotFound();
    this.events.emit('assignment.changed', { agentId: row.agentId, streamId: row.streamId, change: 'unassigned' });
  }

  /** The streams of each of these agents. */
  streamsOf(agentIds: readonly string[]): Promise<Map<string, Set<string>>> {
    return this.repository.streamsOf(agentIds);
  }
}

function viewOf(row: NamedAssignment): Assignment {
  return { ...row, createdAt: row.createdAt.toISOString() };
}
