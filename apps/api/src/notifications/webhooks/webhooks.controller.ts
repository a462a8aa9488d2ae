import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { Roles } from '../../auth/access.decorators.js';
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
@Roles('admin')
@Controller('webhooks')
export class WebhooksController {
  constructor(private readonly webhooks: WebhooksService) {}

  @Get()
  @ApiOperation({ operationId: 'listWebhooks', summary: 'Webhooks that hear of every alert, oldest first' })
  @ApiResponse({ status: 200, description: 'All of them.', standardSchema: WebhookList })
  @ApiErrors(401, 403)
  list(): Promise<WebhookList> {
    return this.webhooks.list(null);
  }

  @Post()
  @Idempotent()
  @ApiOperation({ operationId: 'createWebhook', summary: 'Have alerts sent to an address of yours' })
  @ApiResponse({ status: 201, description: 'Its secret is shown this once.', standardSchema: CreatedWebhook })
  @ApiErrors(400, 401, 403, 409)
  create(@Body({ schema: CreateWebhookRequest }) body: CreateWebhookRequest): Promise<CreatedWebhook> {
    return this.webhooks.create(null, body);
  }

  @Get(':id')
  @ApiOperation({ operationId: 'getWebhook', summary: 'One of them' })
  @ApiResponse({ status: 200, description: 'The webhook.', standardSchema: WebhookView })
  @ApiErrors(400, 401, 403, 404)
  get(@Param('id', { schema: Id }) id: string): Promise<WebhookView> {
    return this.webhooks.get(null, id);
  }

  @Patch(':id')
  @ApiOperation({ operationId: 'updateWebhook', summary: 'Change one; enabling it forgets that it failed' })
  @ApiResponse({ status: 200, description: 'The webhook as it is now.', standardSchema: WebhookView })
  @ApiErrors(400, 401, 403, 404)
  update(
    @Param('id', { schema: Id }) id: string,
    @Body({ schema: UpdateWebhookRequest }) body: UpdateWebhookRequest,
  ): Promise<WebhookView> {
    return this.webhooks.update(null, id, body);
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiOperation({ operationId: 'deleteWebhook', summary: 'Delete one, with what waits to be sent to it' })
  @ApiResponse({ status: 204, description: 'Gone.' })
  @ApiErrors(400, 401, 403, 404)
  remove(@Param('id', { schema: Id }) id: string): Promise<void> {
    return this.webhooks.remove(null, id);
  }
}
