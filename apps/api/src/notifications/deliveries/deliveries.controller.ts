import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { CurrentUser, Roles } from '../../auth/access.decorators.js';
import type { AuthenticatedUser } from '../../auth/authenticated-user.js';
import { ApiErrors } from '../../http/api-errors.js';
import { PageQuery, type Page } from '../../http/pagination.js';
import { Id } from '../../http/params.js';
import { DeliveryList, DeliveryPage, DeliveryView, RedriveRequest, RedriveResult } from './deliveries.dto.js';
import { DeliveriesService } from './deliveries.service.js';

@ApiTags('deliveries')
@ApiBearerAuth()
@Controller()
export class DeliveriesController {
  constructor(private readonly deliveries: DeliveriesService) {}

  @Get('notifications/:id/deliveries')
  @ApiOperation({ operationId: 'listDeliveries', summary: 'Over which channels a notification went, and how' })
  @ApiResponse({ status: 200, description: 'Its deliveries with each attempt.', standardSchema: DeliveryList })
  @ApiErrors(400, 401, 404)
  list(@CurrentUser() user: AuthenticatedUser, @Param('id', { schema: Id }) id: string): Promise<DeliveryList> {
    return this.deliveries.ofNotification(user, id);
  }

  @Roles('admin')
  @Get('deliveries/dead')
  @ApiOperation({ operationId: 'listDeadDeliveries', summary: 'Deliveries that were given up' })
  @ApiResponse({ status: 200, description: 'One page.', standardSchema: DeliveryPage })
  @ApiErrors(400, 401, 403)
  dead(@Query({ schema: PageQuery }) query: PageQuery): Promise<Page<DeliveryView>> {
    return this.deliveries.dead(query);
  }

  @Roles('admin')
  @Post('deliveries/redrive')
  @HttpCode(200)
  @ApiOperation({ operationId: 'redriveDeliveries', summary: 'Drive dead deliveries anew' })
  @ApiResponse({ status: 200, description: 'They begin their schedule again.', standardSchema: RedriveResult })
  @ApiErrors(400, 401, 403)
  redrive(@Body({ schema: RedriveRequest }) body: RedriveRequest): Promise<RedriveResult> {
    return this.deliveries.redrive(body);
  }

  @Post('deliveries/:id/retry')
  @HttpCode(202)
  @ApiOperation({ operationId: 'retryDelivery', summary: 'Have one go out now that is waiting, or was given up' })
  @ApiResponse({ status: 202, description: 'It is due now.', standardSchema: DeliveryView })
  @ApiErrors(400, 401, 404, 409)
  retry(@CurrentUser() user: AuthenticatedUser, @Param('id', { schema: Id }) id: string): Promise<DeliveryView> {
    return this.deliveries.retry(user, id);
  }
}
