import { Controller, Get, Headers, Res } from '@nestjs/common';
import type { Response } from 'express';
import { bears } from '#libs/observability/metrics.js';
import { MonitorRuntime } from '../monitor-runtime.js';

/** For Prometheus. With METRICS_TOKEN for its bearer alone; in production for nobody without one. */
@Controller('metrics')
export class MetricsController {
  constructor(private readonly runtime: MonitorRuntime) {}

  @Get()
  async read(@Res() response: Response, @Headers('authorization') authorization?: string): Promise<void> {
    const { metrics, metricsToken: token, production } = this.runtime;
    if (token === undefined ? production : !bears(authorization, token)) {
      response.setHeader('WWW-Authenticate', 'Bearer');
      response.status(401).type('text/plain').send('The figures are for the bearer of METRICS_TOKEN.\n');
      return;
    }
    response.setHeader('Content-Type', metrics.contentType);
    response.send(await metrics.text());
  }
}
