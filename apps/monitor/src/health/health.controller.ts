import { Controller, Get, Res } from '@nestjs/common';
import type { Response } from 'express';
import { MonitorRuntime } from '../monitor-runtime.js';

/** For the launcher, the container's health check and operators; says nothing secret. */
@Controller('health')
export class HealthController {
  constructor(private readonly runtime: MonitorRuntime) {}

  /** The process answers. */
  @Get('live')
  live(): { status: 'ok' } {
    return { status: 'ok' };
  }

  /** 200 once models are warm and jobs are taken, else 503. */
  @Get(['', 'ready'])
  ready(@Res({ passthrough: true }) response: Response): object {
    const { ready, heartbeat } = this.runtime;
    response.status(ready ? 200 : 503);
    if (!ready) return { status: 'starting' };
    const { monitorId, detectors, spool, egress, sessions } = heartbeat();
    return { status: 'ok', monitorId, detectors, spool, egress, streams: sessions.length };
  }
}
