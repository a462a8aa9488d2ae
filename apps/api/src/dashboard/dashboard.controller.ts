import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { CurrentUser, Roles } from '../auth/access.decorators.js';
import type { AuthenticatedUser } from '../auth/authenticated-user.js';
import { ApiErrors } from '../http/api-errors.js';
import { Id } from '../http/params.js';
import {
  AgentDashboard,
  AgentPerformance,
  Dashboard,
  DetectionSeries,
  PerformanceQuery,
  SeriesQuery,
} from './dashboard.dto.js';
import { DashboardService } from './dashboard.service.js';

/** Figures from the rows as they are now. */
@ApiTags('dashboard')
@ApiBearerAuth()
@Controller()
export class DashboardController {
  constructor(private readonly dashboard: DashboardService) {}

  @Roles('admin')
  @Get('dashboard')
  @ApiOperation({ operationId: 'getDashboard', summary: 'How things stand: streams, detections, agents' })
  @ApiResponse({ status: 200, description: 'The figures.', standardSchema: Dashboard })
  @ApiErrors(401, 403)
  forAdmin(): Promise<Dashboard> {
    return this.dashboard.forAdmin();
  }

  @Get('agent/dashboard')
  @ApiOperation({ operationId: 'getAgentDashboard', summary: 'How things stand on the streams assigned to the caller' })
  @ApiResponse({ status: 200, description: 'The figures.', standardSchema: AgentDashboard })
  @ApiErrors(401)
  forAgent(@CurrentUser() user: AuthenticatedUser): Promise<AgentDashboard> {
    return this.dashboard.forAgent(user);
  }

  @Get('analytics/detections')
  @ApiOperation({
    operationId: 'getDetectionSeries',
    summary: 'Detections over time, by kind, severity, stream, label or verdict',
    description: 'Agents see those of the streams assigned to them. Example: `?by=stream&bucket=hour`.',
  })
  @ApiResponse({ status: 200, description: 'The lines of a chart.', standardSchema: DetectionSeries })
  @ApiErrors(400, 401)
  series(
    @CurrentUser() user: AuthenticatedUser,
    @Query({ schema: SeriesQuery }) query: SeriesQuery,
  ): Promise<DetectionSeries> {
    return this.dashboard.series(user, query);
  }

  @Get('agents/:id/performance')
  @ApiOperation({ operationId: 'getAgentPerformance', summary: 'What an agent did with what it was told' })
  @ApiResponse({ status: 200, description: 'The figures.', standardSchema: AgentPerformance })
  @ApiErrors(400, 401, 404)
  performance(
    @CurrentUser() user: AuthenticatedUser,
    @Param('id', { schema: Id }) id: string,
    @Query({ schema: PerformanceQuery }) query: PerformanceQuery,
  ): Promise<AgentPerformance> {
    return this.dashboard.performance(user, id, query);
  }
}
