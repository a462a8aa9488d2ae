import { Body, Controller, Get, HttpCode, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { Roles } from '../auth/access.decorators.js';
import { ApiErrors } from '../http/api-errors.js';
import { PageQuery, type Page } from '../http/pagination.js';
import { DeadFactPage, RedrivenFacts, RedriveFactsRequest, type DeadFactView } from './dead-facts.dto.js';
import { DeadFactsService } from './dead-facts.service.js';

@ApiTags('detections')
@ApiBearerAuth()
@Roles('admin')
@Controller('facts')
export class DeadFactsController {
  constructor(private readonly deadFacts: DeadFactsService) {}

  @Get('dead')
  @ApiOperation({ operationId: 'listDeadFacts', summary: 'What monitors reported and could not be stored' })
  @ApiResponse({ status: 200, description: 'One page, newest first.', standardSchema: DeadFactPage })
  @ApiErrors(400, 401, 403)
  list(@Query({ schema: PageQuery }) query: PageQuery): Promise<Page<DeadFactView>> {
    return this.deadFacts.list(query);
  }

  @Post('redrive')
  @HttpCode(200)
  @ApiOperation({ operationId: 'redriveFacts', summary: 'Try again to store dead facts' })
  @ApiResponse({
    status: 200,
    description: 'They are on their way; what cannot be stored now either is put aside again.',
    standardSchema: RedrivenFacts,
  })
  @ApiErrors(400, 401, 403)
  redrive(@Body({ schema: RedriveFactsRequest }) body: RedriveFactsRequest): Promise<RedrivenFacts> {
    return this.deadFacts.redrive(body);
  }
}
