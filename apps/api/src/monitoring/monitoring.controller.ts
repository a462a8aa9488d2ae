import { Body, Controller, Get, HttpCode, Param, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiBody, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { CurrentUser, Roles } from '../auth/access.decorators.js';
import type { AuthenticatedUser } from '../auth/authenticated-user.js';
import { ApiErrors } from '../http/api-errors.js';
import { Id } from '../http/params.js';
import {
  DetectionStatus,
  DetectorList,
  MonitorHealth,
  MonitorList,
  MonitoringResult,
  RestartRequest,
  RestartResult,
} from './monitoring.dto.js';
import { MonitoringService } from './monitoring.service.js';

@ApiTags('monitoring')
@ApiBearerAuth()
@Controller()
export class MonitoringController {
  constructor(private readonly monitoring: MonitoringService) {}

  @Post('monitoring/stream/:id/start')
  @HttpCode(202)
  @ApiOperation({ operationId: 'startMonitoring', summary: 'Watch a stream; starting a watched one changes nothing' })
  @ApiResponse({ status: 202, description: 'It will be watched.', standardSchema: MonitoringResult })
  @ApiErrors(400, 401, 404)
  start(@CurrentUser() user: AuthenticatedUser, @Param('id', { schema: Id }) id: string): Promise<MonitoringResult> {
    return this.monitoring.start(user, id);
  }

  @Post('monitoring/stream/:id/stop')
  @HttpCode(202)
  @ApiOperation({ operationId: 'stopMonitoring', summary: 'Watch a stream no longer' })
  @ApiResponse({ status: 202, description: 'Its capture ends.', standardSchema: MonitoringResult })
  @ApiErrors(400, 401, 404)
  stop(@CurrentUser() user: AuthenticatedUser, @Param('id', { schema: Id }) id: string): Promise<MonitoringResult> {
    return this.monitoring.stop(user, id);
  }

  @Roles('admin')
  @Post('monitoring/restart')
  @HttpCode(202)
  @ApiOperation({ operationId: 'restartMonitoring', summary: 'Begin captures anew: all, or those of some streams' })
  @ApiBody({ required: false, schema: { $ref: '#/components/schemas/RestartRequest' } })
  @ApiResponse({ status: 202, description: 'They begin anew.', standardSchema: RestartResult })
  @ApiErrors(400, 401, 403)
  restart(@Body({ schema: RestartRequest.optional() }) body: RestartRequest | undefined): Promise<RestartResult> {
    return this.monitoring.restart(body ?? {});
  }

  @Get('monitor/detection-status/:id')
  @ApiOperation({ operationId: 'getDetectionStatus', summary: 'How the watching of a stream goes' })
  @ApiResponse({ status: 200, description: 'Its state and live figures.', standardSchema: DetectionStatus })
  @ApiErrors(400, 401, 404)
  status(@CurrentUser() user: AuthenticatedUser, @Param('id', { schema: Id }) id: string): Promise<DetectionStatus> {
    return this.monitoring.status(user, id);
  }

  @Get('monitor/health')
  @ApiOperation({ operationId: 'getMonitorHealth', summary: 'Whether streams can be watched now' })
  @ApiResponse({ status: 200, description: 'Monitors, capacity and the queue.', standardSchema: MonitorHealth })
  @ApiErrors(401)
  health(): Promise<MonitorHealth> {
    return this.monitoring.health();
  }

  @Roles('admin')
  @Get('monitors')
  @ApiOperation({ operationId: 'listMonitors', summary: 'Every monitor: capacity, detectors, what it watches' })
  @ApiResponse({ status: 200, description: 'Those that are there now.', standardSchema: MonitorList })
  @ApiErrors(401, 403, 503)
  monitors(): Promise<MonitorList> {
    return this.monitoring.monitors();
  }

  @Get('detectors')
  @ApiOperation({ operationId: 'listDetectors', summary: 'Detectors of the running monitors: labels, options, state' })
  @ApiResponse({ status: 200, description: 'Those that are there now.', standardSchema: DetectorList })
  @ApiErrors(401, 503)
  detectors(): Promise<DetectorList> {
    return this.monitoring.detectors();
  }
}
