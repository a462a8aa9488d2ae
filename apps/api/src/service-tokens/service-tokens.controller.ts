import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { CurrentUser, Roles } from '../auth/access.decorators.js';
import type { AuthenticatedUser } from '../auth/authenticated-user.js';
import { ApiErrors } from '../http/api-errors.js';
import { Idempotent } from '../http/idempotent.js';
import { PageQuery, type Page } from '../http/pagination.js';
import { Id } from '../http/params.js';
import {
  CreateServiceTokenRequest,
  NewServiceToken,
  ServiceTokenPage,
  type ServiceToken,
} from './service-tokens.dto.js';
import { ServiceTokensService } from './service-tokens.service.js';

/** Keys of other programs. */
@ApiTags('service tokens')
@ApiBearerAuth()
@Roles('admin')
@Controller('service-tokens')
export class ServiceTokensController {
  constructor(private readonly tokens: ServiceTokensService) {}

  @Get()
  @ApiOperation({ operationId: 'listServiceTokens', summary: 'Service tokens by name, revoked ones included' })
  @ApiResponse({ status: 200, description: 'One page.', standardSchema: ServiceTokenPage })
  @ApiErrors(400, 401, 403)
  list(@Query({ schema: PageQuery }) query: PageQuery): Promise<Page<ServiceToken>> {
    return this.tokens.list(query);
  }

  @Post()
  @Idempotent()
  @ApiOperation({
    operationId: 'createServiceToken',
    summary: 'Make a token for another program; it is shown this once',
  })
  @ApiResponse({ status: 201, description: 'Made.', standardSchema: NewServiceToken })
  @ApiErrors(400, 401, 403)
  create(
    @CurrentUser() user: AuthenticatedUser,
    @Body({ schema: CreateServiceTokenRequest }) body: CreateServiceTokenRequest,
  ): Promise<NewServiceToken> {
    return this.tokens.create(user.id, body);
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiOperation({ operationId: 'revokeServiceToken', summary: 'Revoke a token; its next request is refused' })
  @ApiResponse({ status: 204, description: 'Revoked.' })
  @ApiErrors(400, 401, 403, 404)
  revoke(@Param('id', { schema: Id }) id: string): Promise<void> {
    return this.tokens.revoke(id);
  }
}
