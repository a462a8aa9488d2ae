import { Controller, Get, Res } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { Public } from '../auth/access.decorators.js';
import { Health, Liveness } from './health.dto.js';
import { HealthService } from './health.service.js';

@ApiTags('health')
@Public()
@Controller(['api/health', 'health'])
export class HealthController {
  constructor(private readonly health: HealthService) {}

  @Get()
  @ApiOperation({ operationId: 'getHealth', summary: 'How the api is' })
  @ApiResponse({ status: 200, description: 'It works, perhaps in part.', standardSchema: Health })
  @ApiResponse({ status: 503, description: 'The database is away.', standardSchema: Health })
  async overall(@Res({ passthrough: true }) response: Response): Promise<Health> {
    const health = await this.health.check();
    if (health.status === 'down') response.status(503);
    return health;
  }

  @Get('live')
  @ApiOperation({ operationId: 'getLiveness', summary: 'The process answers' })
  @ApiResponse({ status: 200, description: 'It does.', standardSchema: Liveness })
  live(): Liveness {
    return { status: 'ok' };
  }

  @Get('ready')
  @ApiOperation({ operationId: 'getReadiness', summary: 'Database and Redis answer' })
  @ApiResponse({ status: 200, description: 'Both do.', standardSchema: Health })
  @ApiResponse({ status: 503, description: 'One of them is away.', standardSchema: Health })
  async ready(@Res({ passthrough: true }) response: Response): Promise<Health> {
    const health = await this.health.check();
    if (health.status !== 'ok') response.status(503);
    return health;
  }
}
