import { Controller, Get, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { Roles } from '../auth/access.decorators.js';
import { ApiErrors } from '../http/api-errors.js';
import { CanaryQuery, CanaryReport } from './canary.dto.js';
import { CanaryService } from './canary.service.js';

/** Whether what is planted comes out. */
@ApiTags('monitoring')
@ApiBearerAuth()
@Controller()
export class CanaryController {
  constructor(private readonly canary: CanaryService) {}

  @Roles('admin')
  @Get('canary')
  @ApiOperation({
    operationId: 'getCanary',
    summary: 'Whether each monitor and each delivery channel has proven to work, and how fast',
    description:
      'Each monitor watches a stream of its own every `CANARY_INTERVAL_MS`, in which an object, a sound and a line of ' +
      'chat are planted. Nothing of it is in the lists of detections.',
  })
  @ApiResponse({ status: 200, description: 'Recent runs, probes, and what is wrong.', standardSchema: CanaryReport })
  @ApiErrors(400, 401, 403)
  report(@Query({ schema: CanaryQuery }) { limit }: CanaryQuery): Promise<CanaryReport> {
    return this.canary.report(limit);
  }
}
