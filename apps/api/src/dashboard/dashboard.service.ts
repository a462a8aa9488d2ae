import { Injectable } from '@nestjs/common';
import { within } from '#libs/bus/deadline.js';
import { PresenceBoard } from '#libs/bus/presence-board.js';
import { AppError } from '#libs/errors/app-error.js';
import type { AuthenticatedUser } from '../auth/authenticated-user.js';
import { NotificationsService } from '../notifications/notifications.service.js';
import { UsersService } from '../users/users.service.js';
import type { AgentDashboard, AgentPerformance, Dashboard, DetectionSeries, SeriesQuery } from './dashboard.dto.js';
import { DashboardRepository } from './dashboard.repository.js';
import { periodOf, type PeriodQuery } from './period.js';

const PATIENCE_MS = 1_000;

/** Figures for the people who look at them; an agent's are about the streams assigned to it. */
@Injectable()
export class DashboardService {
  constructor(
    private readonly repository: DashboardRepository,
    private readonly presence: PresenceBoard,
    private readonly notifications: NotificationsService,
    private readonly users: UsersService,
  ) {}

  async forAdmin(): Promise<Dashboard> {
    const now = new Date();
    const [streams, detections, busiestStreams, agents, unassignedStreams, online] = await Promise.all([
      this.repository.streams(null),
      this.repository.detections(null, now),
      this.repository.busiestStreams(null, now),
      this.repository.agents(),
      this.repository.unassignedStreams(),
      within(PATIENCE_MS, this.presence.online()).catch(() => new Set<string>()),
    ]);
    const { ids, total, enabled } = agents;
    return {
      ...{ streams, detections, busiestStreams, unassignedStreams, at: now.toISOString() },
      agents: { total, enabled, online: ids.filter((id) => online.has(id)).length },
    };
  }

  async forAgent({ id }: AuthenticatedUser): Promise<AgentDashboard> {
    const now = new Date();
    const [streams, detections, busiestStreams, unread] = await Promise.all([
      this.repository.streams(id),
      this.repository.detections(id, now),
      this.repository.busiestStreams(id, now),
      this.notifications.countUnread(id),
    ]);
    return { streams, detections, busiestStreams, unreadNotifications: unread.notifications, at: now.toISOString() };
  }

  /** @throws AppError `request.period`. */
  async series(viewer: AuthenticatedUser, query: SeriesQuery): Promise<DetectionSeries> {
    const { from, to } = periodOf(query, Date.now(), query.bucket);
    const series = await this.repository.series(viewer.role === 'admin' ? null : viewer.id, { from, to }, query);
    return { from: from.toISOString(), to: to.toISOString(), bucket: query.bucket, series };
  }

  /** An agent sees its own figures, an admin everybody's. @throws AppError `agent.not_found`, `request.period`. */
  async performance(viewer: AuthenticatedUser, agentId: string, query: PeriodQuery): Promise<AgentPerformance> {
    const agent = viewer.role === 'admin' || viewer.id === agentId ? await this.users.findAgent(agentId) : null;
    if (agent === null) throw new AppError('agent.not_found', 'user', 'There is no such agent: see GET /api/agents.');
    const { from, to } = periodOf(query, Date.now());
    const figures = await this.repository.performance(agentId, { from, to });
    return { agentId, from: from.toISOString(), to: to.toISOString(), ...figures };
  }
}
