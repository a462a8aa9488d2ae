import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { AppError } from '#libs/errors/app-error.js';
import type { AuthenticatedUser } from '../auth/authenticated-user.js';
import { AuthService } from '../auth/auth.service.js';
import { decodeCursor, toPage, type Page, type PageQuery } from '../http/pagination.js';
import { UsersService } from '../users/users.service.js';
import {
  viewOf,
  type Agent,
  type CreateAgentRequest,
  type CreatedAgent,
  type UpdateAgentRequest,
} from './agents.dto.js';

const Position = z.tuple([z.string(), z.uuid()]);

const agentNotFound = (): AppError =>
  new AppError('agent.not_found', 'user', 'There is no such agent: see GET /api/agents.');

/** The people who look at what was found. */
@Injectable()
export class AgentsService {
  constructor(
    private readonly users: UsersService,
    private readonly auth: AuthService,
  ) {}

  async list({ limit, cursor }: PageQuery): Promise<Page<Agent>> {
    const rows = await this.users.list('agent', decodeCursor(cursor, Position), limit + 1);
    return toPage(rows, limit, (row) => [row.username, row.id], viewOf);
  }

  /** @throws AppError `user.username.conflict`, `user.email.conflict`. */
  async create({ password, ...agent }: CreateAgentRequest): Promise<CreatedAgent> {
    const made = password === undefined ? randomBytes(12).toString('base64url') : null;
    const user = { ...agent, role: 'agent' as const, mustChangePassword: made !== null };
    const row = await this.users.create(user, password ?? made ?? '');
    return { agent: viewOf(row), password: made };
  }

  /** An agent sees itself, an admin everybody. @throws AppError `agent.not_found`. */
  async get(viewer: AuthenticatedUser, id: string): Promise<Agent> {
    const row = viewer.role === 'admin' || viewer.id === id ? await this.users.findAgent(id) : null;
    if (row === null) throw agentNotFound();
    return viewOf(row);
  }

  /** @throws AppError `agent.not_found`, `user.email.conflict`. */
  async update(viewer: AuthenticatedUser, id: string, request: UpdateAgentRequest): Promise<Agent> {
    const { disabled, ...changes } = request;
    const before = await this.get(viewer, id);
    const disabledAt =
      disabled === undefined ? {} : { disabledAt: disabled ? new Date(before.disabledAt ?? Date.now()) : null };
    if (Object.keys(request).length > 0) await this.users.update(id, { ...changes, ...disabledAt });
    if (disabled === true) await this.auth.endSessions(id);
    return this.get(viewer, id);
  }
}
