import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { within } from '#libs/bus/deadline.js';
import { PresenceBoard } from '#libs/bus/presence-board.js';
import { AuditTrail } from '../audit/audit-trail.js';
import type { AuthenticatedUser } from '../auth/authenticated-user.js';
import { AppEvents } from '../events/app-events.js';
import { decodeCursor, toPage, type Page } from '../http/pagination.js';
import { UsersService } from '../users/users.service.js';
import type {
  Assignment,
  AssignmentList,
  AssignmentQuery,
  CreateAssignmentRequest,
  ReplaceAssignmentsRequest,
} from './assignments.dto.js';
import { assignmentNotFound, assignmentTargetMissing, nobodyFree } from './assignments.errors.js';
import { AssignmentsRepository, type NamedAssignment } from './assignments.repository.js';
import { chooseAgent } from './choose-agent.js';

const Position = z.tuple([z.uuid()]);
/** Redis is asked so long who is online; without an answer everybody counts as offline, ms. */
const PATIENCE_MS = 1_000;
/** Agents of one stream at most. */
const MOST_OF_STREAM = 200;

/** Which agent looks after which stream. */
@Injectable()
export class AssignmentsService {
  constructor(
    private readonly repository: AssignmentsRepository,
    private readonly users: UsersService,
    private readonly presence: PresenceBoard,
    private readonly audit: AuditTrail,
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

  /**
   * Has an agent look after a stream: the named one, else the one that {@link chooseAgent} chooses.
   * @throws AppError `assignment.conflict`, `assignment.target.not_found`, `assignment.capacity.conflict`.
   */
  async create(request: CreateAssignmentRequest): Promise<Assignment> {
    const { streamId, priority, notes } = request;
    const agentId = request.agentId ?? (await this.choose(streamId));
    if ((await this.users.findAgent(agentId)) === null) throw assignmentTargetMissing();
    const automatic = request.agentId === undefined;
    const row = await this.repository.create({ agentId, streamId, priority, notes, automatic });
    await this.changed(row, 'assigned');
    return viewOf(row);
  }

  /** Has exactly these agents look after a stream. @throws AppError `assignment.target.not_found`. */
  async replace(streamId: string, { assignments }: ReplaceAssignmentsRequest): Promise<AssignmentList> {
    const before = await this.ofStream(streamId);
    const { came, went } = await this.repository.replace(streamId, assignments);
    const after = await this.ofStream(streamId);
    for (const row of before) if (went.includes(row.agentId)) await this.changed(row, 'unassigned');
    for (const row of after) if (came.includes(row.agentId)) await this.changed(row, 'assigned');
    return { items: after.map(viewOf) };
  }

  /** @throws AppError `assignment.not_found`. */
  async remove(id: string): Promise<void> {
    const [row] = await this.repository.list({ ...NO_FILTER, id, limit: 1 });
    if (row === undefined || (await this.repository.remove(id)) === null) throw assignmentNotFound();
    await this.changed(row, 'unassigned');
  }

  /** The streams of each of these agents. */
  streamsOf(agentIds: readonly string[]): Promise<Map<string, Set<string>>> {
    return this.repository.streamsOf(agentIds);
  }

  private ofStream(streamId: string): Promise<NamedAssignment[]> {
    return this.repository.list({ ...NO_FILTER, streamId, limit: MOST_OF_STREAM });
  }

  private async choose(streamId: string): Promise<string> {
    const online = await within(PATIENCE_MS, this.presence.online()).catch(() => new Set<string>());
    const candidates = await this.repository.candidates(streamId);
    const chosen = chooseAgent(candidates.map((agent) => ({ ...agent, online: online.has(agent.agentId) })));
    if (chosen === null) throw nobodyFree();
    return chosen.agentId;
  }

  private async changed(row: NamedAssignment, change: 'assigned' | 'unassigned'): Promise<void> {
    const { id, agentId, streamId, agentUsername, streamName } = row;
    this.events.emit('assignment.changed', { agentId, streamId, change });
    const view = viewOf(row);
    await this.audit.record({
      action: change === 'assigned' ? 'assignment.created' : 'assignment.deleted',
      target: { type: 'assignment', id, name: `${agentUsername} on ${streamName}` },
      ...(change === 'assigned' ? { after: view } : { before: view }),
    });
  }
}

const NO_FILTER = { streamId: undefined, agentId: undefined, after: null };

function viewOf(row: NamedAssignment): Assignment {
  return { ...row, createdAt: row.createdAt.toISOString() };
}
