import { Controller, Get, Headers, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiProduces, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { Metrics } from '#libs/observability/metrics.js';
import { Public } from '../auth/access.decorators.js';
import { ApiErrors } from '../http/api-errors.js';
import { MetricsAccess } from './metrics-access.js';

/** The figures of this process, for Prometheus. */
@ApiTags('health')
@ApiBearerAuth()
@Controller(['api/metrics', 'metrics'])
export class MetricsController {
  constructor(
    private readonly metrics: Metrics,
    private readonly access: MetricsAccess,
  ) {}

  @Public()
  @Get()
  @ApiOperation({
    operationId: 'getMetrics',
    summary: 'Figures of this process, in Prometheus’ text format',
    description: 'For admins, and for the bearer of `METRICS_TOKEN`.',
  })
  @ApiProduces('text/plain')
  @ApiResponse({ status: 200, description: 'The figures.', content: { 'text/plain': { schema: { type: 'string' } } } })
  @ApiErrors(401, 403)
  async read(@Res() response: Response, @Headers('authorization') authorization?: string): Promise<void> {
    await this.access.admit(authorization);
    response.setHeader('Content-Type', this.metrics.contentType);
    response.send(await this.metrics.text());
  }
}
