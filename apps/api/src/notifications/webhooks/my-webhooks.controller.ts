import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { CurrentUser } from '../../auth/access.decorators.js';
import type { AuthenticatedUser } from '../../auth/authenticated-user.js';
import { ApiErrors } from '../../http/api-errors.js';
import { Idempotent } from '../../http/idempotent.js';
import { Id } from '../../http/params.js';
import {
  CreatedWebhook,
  CreateWebhookRequest,
  UpdateWebhookRequest,
  WebhookList,
  WebhookView,
} from './webhooks.dto.js';
import { WebhooksService } from './webhooks.service.js';

@ApiTags('webhooks')
@ApiBearerAuth()
@Controller('me/webhooks')
export class MyWebhooksController {
  constructor(private readonly webhooks: WebhooksService) {}

  @Get()
  @ApiOperation({ operationId: 'listMyWebhooks', summary: 'Webhooks that hear of what you are told, oldest first' })
  @ApiResponse({ status: 200, description: 'All of them.', standardSchema: WebhookList })
  @ApiErrors(401)
  list(@CurrentUser() user: AuthenticatedUser): Promise<WebhookList> {
    return this.webhooks.list(user.id);
  }

  @Post()
  @Idempotent()
  @ApiOperation({ operationId: 'createMyWebhook', summary: 'Have alerts sent to an address of yours' })
  @ApiResponse({ status: 201, description: 'Its secret is shown this once.', standardSchema: CreatedWebhook })
  @ApiErrors(400, 401, 409)
  create(
    @CurrentUser() user: AuthenticatedUser,
    @Body({ schema: CreateWebhookRequest }) body: CreateWebhookRequest,
  ): Promise<CreatedWebhook> {
    return this.webhooks.create(user.id, body);
  }

  @Get(':id')
  @ApiOperation({ operationId: 'getMyWebhook', summary: 'One of them' })
  @ApiResponse({ status: 200, description: 'The webhook.', standardSchema: WebhookView })
  @ApiErrors(400, 401, 404)
  get(@CurrentUser() user: AuthenticatedUser, @Param('id', { schema: Id }) id: string): Promise<WebhookView> {
    return this.webhooks.get(user.id, id);
  }

  @Patch(':id')
  @ApiOperation({ operationId: 'updateMyWebhook', summary: 'Change one; enabling it forgets that it failed' })
  @ApiResponse({ status: 200, description: 'The webhook as it is now.', standardSchema: WebhookView })
  @ApiErrors(400, 401, 404)
  update(
    @CurrentUser() user: AuthenticatedUser,
    @Param('id', { schema: Id }) id: string,
    @Body({ schema: UpdateWebhookRequest }) body: UpdateWebhookRequest,
  ): Promise<WebhookView> {
    return this.webhooks.update(user.id, id, body);
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiOperation({ operationId: 'deleteMyWebhook', summary: 'Delete one, with what waits to be sent to it' })
  @ApiResponse({ status: 204, description: 'Gone.' })
  @ApiErrors(400, 401, 404)
  remove(@CurrentUser() user: AuthenticatedUser, @Param('id', { schema: Id }) id: string): Promise<void> {
    return this.webhooks.remove(user.id, id);
  }
}
