import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { CurrentUser, Roles } from '../auth/access.decorators.js';
import type { AuthenticatedUser } from '../auth/authenticated-user.js';
import { ApiErrors } from '../http/api-errors.js';
import { Id } from '../http/params.js';
import { CoverageSeries, CoverageSeriesQuery, StreamCoverage, StreamCoverageQuery } from './coverage.dto.js';
import { CoverageService } from './coverage.service.js';

/** What was watched of what should be. */
@ApiTags('coverage')
@ApiBearerAuth()
@Controller()
export class CoverageController {
  constructor(private readonly coverage: CoverageService) {}

  @Get('streams/:id/coverage')
  @ApiOperation({
    operationId: 'getStreamCoverage',
    summary: 'When a stream was watched, when not, and why',
    description:
      'Time that no monitor spoke of is a gap (`crash`, `restarting`, `unassigned`), whether one was running or not.',
  })
  @ApiResponse({
    status: 200,
    description: 'Sums of each part, and one page of stretches.',
    standardSchema: StreamCoverage,
  })
  @ApiErrors(400, 401, 404)
  ofStream(
    @CurrentUser() user: AuthenticatedUser,
    @Param('id', { schema: Id }) id: string,
    @Query({ schema: StreamCoverageQuery }) query: StreamCoverageQuery,
  ): Promise<StreamCoverage> {
    return this.coverage.ofStream(user, id, query);
  }

  @Roles('admin')
  @Get('analytics/coverage')
  @ApiOperation({
    operationId: 'getCoverageSeries',
    summary: 'How much was watched over time, by part or by stream and part',
    description: 'Brought up to date once a minute. Example: `?by=stream&part=video&bucket=hour`.',
  })
  @ApiResponse({ status: 200, description: 'The lines of a chart.', standardSchema: CoverageSeries })
  @ApiErrors(400, 401, 403)
  series(@Query({ schema: CoverageSeriesQuery }) query: CoverageSeriesQuery): Promise<CoverageSeries> {
    return this.coverage.series(query);
  }
}
