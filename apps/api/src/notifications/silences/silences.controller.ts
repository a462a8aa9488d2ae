import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { CurrentUser, Roles } from '../../auth/access.decorators.js';
import type { AuthenticatedUser } from '../../auth/authenticated-user.js';
import { ApiErrors } from '../../http/api-errors.js';
import { Idempotent } from '../../http/idempotent.js';
import type { Page } from '../../http/pagination.js';
import { Id } from '../../http/params.js';
import { CreateSilenceRequest, SilencePage, SilenceQuery, SilenceView, UpdateSilenceRequest } from './silences.dto.js';
import { SilencesService } from './silences.service.js';

@ApiTags('silences')
@ApiBearerAuth()
@Roles('admin')
@Controller('silences')
export class SilencesController {
  constructor(private readonly silences: SilencesService) {}

  @Get()
  @ApiOperation({ operationId: 'listSilences', summary: 'Silences, those that end latest first' })
  @ApiResponse({ status: 200, description: 'One page.', standardSchema: SilencePage })
  @ApiErrors(400, 401, 403)
  list(@Query({ schema: SilenceQuery }) query: SilenceQuery): Promise<Page<SilenceView>> {
    return this.silences.list(query);
  }

  @Post()
  @Idempotent()
  @ApiOperation({ operationId: 'createSilence', summary: 'Have nobody told of a stream, rule or label for a while' })
  @ApiResponse({ status: 201, description: 'It holds at once; hits are still counted.', standardSchema: SilenceView })
  @ApiErrors(400, 401, 403, 404)
  create(
    @CurrentUser() user: AuthenticatedUser,
    @Body({ schema: CreateSilenceRequest }) body: CreateSilenceRequest,
  ): Promise<SilenceView> {
    return this.silences.create(user, body);
  }

  @Get(':id')
  @ApiOperation({ operationId: 'getSilence', summary: 'One silence' })
  @ApiResponse({ status: 200, description: 'The silence.', standardSchema: SilenceView })
  @ApiErrors(400, 401, 403, 404)
  get(@Param('id', { schema: Id }) id: string): Promise<SilenceView> {
    return this.silences.get(id);
  }

  @Patch(':id')
  @ApiOperation({ operationId: 'updateSilence', summary: 'Have it end earlier or later, for another reason' })
  @ApiResponse({ status: 200, description: 'The silence as it is now.', standardSchema: SilenceView })
  @ApiErrors(400, 401, 403, 404, 409)
  update(
    @Param('id', { schema: Id }) id: string,
    @Body({ schema: UpdateSilenceRequest }) body: UpdateSilenceRequest,
  ): Promise<SilenceView> {
    return this.silences.update(id, body);
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiOperation({ operationId: 'deleteSilence', summary: 'End a silence at once' })
  @ApiResponse({ status: 204, description: 'Gone.' })
  @ApiErrors(400, 401, 403, 404)
  remove(@Param('id', { schema: Id }) id: string): Promise<void> {
    return this.silences.remove(id);
  }
}
