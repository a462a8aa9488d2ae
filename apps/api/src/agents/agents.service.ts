import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { within } from '#libs/bus/deadline.js';
import { PresenceBoard } from '#libs/bus/presence-board.js';
import { AppError } from '#libs/errors/app-error.js';
import type { Assignment } from '../assignments/assignments.dto.js';
import { AssignmentsService } from '../assignments/assignments.service.js';
import { AuditTrail } from '../audit/audit-trail.js';
import type { AuthenticatedUser } from '../auth/authenticated-user.js';
import { AuthService } from '../auth/auth.service.js';
import type { Precondition } from '../http/etag.js';
import { decodeCursor, toPage, type Page, type PageQuery } from '../http/pagination.js';
import { UsersService } from '../users/users.service.js';
import {
  viewOf,
  type Agent,
  type CreateAgentRequest,
  type CreatedAgent,
  type OnlineUsers,
  type UpdateAgentRequest,
} from './agents.dto.js';

/** Redis is asked so long who is online, ms. */
const PATIENCE_MS = 1_500;
const Position = z.tuple([z.string(), z.uuid()]);

const agentNotFound = (): AppError =>
  new AppError('agent.not_found', 'user', 'There is no such agent: see GET /api/agents.');

/** The people who look at what was found. */
@Injectable()
export class AgentsService {
  constructor(
    private readonly users: UsersService,
    private readonly auth: AuthService,
    private readonly assignments: AssignmentsService,
    private readonly presence: PresenceBoard,
    private readonly audit: AuditTrail,
  ) {}

  async list({ limit, cursor }: PageQuery): Promise<Page<Agent>> {
    const rows = await this.users.list('agent', decodeCursor(cursor, Position), limit + 1);
    return toPage(rows, limit, (row) => [row.username, row.id], viewOf);
  }

  /** @throws AppError `user.username.conflict`, `user.email.conflict`. */
  async create({ password, capacity, ...agent }: CreateAgentRequest): Promise<CreatedAgent> {
    const made = password === undefined ? randomBytes(12).toString('base64url') : null;
    const user = { ...agent, role: 'agent' as const, mustChangePassword: made !== null };
    const row = await this.users.create(user, password ?? made ?? '');
    if (capacity !== null) await this.users.update(row.id, { capacity });
    const view = viewOf({ ...row, capacity, version: capacity === null ? row.version : row.version + 1 });
    await this.audit.record({ action: 'agent.created', target: targetOf(view), after: view });
    return { agent: view, password: made };
  }

  /** An agent sees itself, an admin everybody. @throws AppError `agent.not_found`. */
  async get(viewer: AuthenticatedUser, id: string): Promise<Agent> {
    const row = viewer.role === 'admin' || viewer.id === id ? await this.users.findAgent(id) : null;
    if (row === null) throw agentNotFound();
    return viewOf(row);
  }

  /** @throws AppError `agent.not_found`, `user.email.conflict`, `request.version.precondition_failed`. */
  async update(
    viewer: AuthenticatedUser,
    id: string,
    request: UpdateAgentRequest,
    precondition: Precondition,
  ): Promise<Agent> {
    const { disabled, ...changes } = request;
    const before = await this.get(viewer, id);
    const disabledAt =
      disabled === undefined ? {} : { disabledAt: disabled ? new Date(before.disabledAt ?? Date.now()) : null };
    const row = await this.users.change(id, { ...changes, ...disabledAt }, precondition);
    if (row === null) throw agentNotFound();
    if (disabled === true) await this.auth.endSessions(id);
    const after = viewOf(row);
    await this.audit.record({ action: 'agent.updated', target: targetOf(after), before, after });
    return after;
  }

  /**
   * Removes an agent; what it said of findings stays.
   * @throws AppError `agent.not_found`, `request.version.precondition_failed`.
   */
  async remove(viewer: AuthenticatedUser, id: string, precondition: Precondition): Promise<void> {
    const before = await this.get(viewer, id);
    if (!(await this.users.remove(id, precondition))) throw agentNotFound();
    await this.auth.endSessions(id);
    await this.audit.record({ action: 'agent.deleted', target: targetOf(before), before });
  }

  /** What an agent looks after; it sees its own. @throws AppError `agent.not_found`. */
  async assignmentsOf(viewer: AuthenticatedUser, id: string, query: PageQuery): Promise<Page<Assignment>> {
    await this.get(viewer, id);
    return this.assignments.list(viewer, { ...query, agentId: id });
  }

  /** Whoever has a socket open. @throws AppError `redis.unavailable`. */
  async online(): Promise<OnlineUsers> {
    let ids: Set<string>;
    try {
      ids = await within(PATIENCE_MS, this.presence.online());
    } catch (error) {
      throw new AppError('redis.unavailable', 'operational', 'Redis is away: try again soon.', {}, { cause: error });
    }
    const users = await this.users.findAll([...ids]);
    return { items: users.map(({ id, username, name, role }) => ({ id, username, name, role })) };
  }
}

function targetOf({ id, username }: Agent): { type: string; id: string; name: string } {
  return { type: 'agent', id, name: username };
}
