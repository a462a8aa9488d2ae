import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { CurrentUser, Roles } from '../auth/access.decorators.js';
import type { AuthenticatedUser } from '../auth/authenticated-user.js';
import { ApiErrors } from '../http/api-errors.js';
import { ApiIfMatch, IfMatch, Tagged, type Precondition } from '../http/etag.js';
import { Idempotent } from '../http/idempotent.js';
import type { Page } from '../http/pagination.js';
import { Id } from '../http/params.js';
import {
  CreateStreamRequest,
  SetStatusRequest,
  Stream,
  StreamPage,
  StreamQuery,
  UpdateStreamRequest,
} from './streams.dto.js';
import { StreamsService } from './streams.service.js';

const versionOf = ({ version }: Stream): number => version;

@ApiTags('streams')
@ApiBearerAuth()
@Controller('streams')
export class StreamsController {
  constructor(private readonly streams: StreamsService) {}

  @Get()
  @ApiOperation({ operationId: 'listStreams', summary: 'Streams by name; agents see those assigned to them' })
  @ApiResponse({ status: 200, description: 'One page.', standardSchema: StreamPage })
  @ApiErrors(400, 401)
  list(
    @CurrentUser() user: AuthenticatedUser,
    @Query({ schema: StreamQuery }) query: StreamQuery,
  ): Promise<Page<Stream>> {
    return this.streams.list(user, query);
  }

  @Roles('admin')
  @Post()
  @Idempotent()
  @Tagged(versionOf)
  @ApiOperation({ operationId: 'createStream', summary: 'Add a stream; it is not watched until started' })
  @ApiResponse({ status: 201, description: 'Added.', standardSchema: Stream })
  @ApiErrors(400, 401, 403, 409)
  create(
    @CurrentUser() user: AuthenticatedUser,
    @Body({ schema: CreateStreamRequest }) body: CreateStreamRequest,
  ): Promise<Stream> {
    return this.streams.create(user, body);
  }

  @Get(':id')
  @Tagged(versionOf)
  @ApiOperation({ operationId: 'getStream', summary: 'One stream' })
  @ApiResponse({ status: 200, description: 'The stream.', standardSchema: Stream })
  @ApiErrors(400, 401, 404)
  get(@CurrentUser() user: AuthenticatedUser, @Param('id', { schema: Id }) id: string): Promise<Stream> {
    return this.streams.get(user, id);
  }

  @Roles('admin')
  @Patch(':id')
  @Tagged(versionOf)
  @ApiIfMatch()
  @ApiOperation({
    operationId: 'updateStream',
    summary: 'Change a stream; a new source, part, language or chat restarts its capture',
  })
  @ApiResponse({ status: 200, description: 'The stream as it is now.', standardSchema: Stream })
  @ApiErrors(400, 401, 403, 404, 409)
  update(
    @CurrentUser() user: AuthenticatedUser,
    @Param('id', { schema: Id }) id: string,
    @Body({ schema: UpdateStreamRequest }) body: UpdateStreamRequest,
    @IfMatch() precondition: Precondition,
  ): Promise<Stream> {
    return this.streams.update(user, id, body, precondition);
  }

  @Roles('admin')
  @Post(':id/status')
  @HttpCode(200)
  @ApiOperation({ operationId: 'setStreamStatus', summary: 'Say by hand how a stream is that is not watched' })
  @ApiResponse({ status: 200, description: 'The stream as it is now.', standardSchema: Stream })
  @ApiErrors(400, 401, 403, 404, 409)
  setStatus(
    @CurrentUser() user: AuthenticatedUser,
    @Param('id', { schema: Id }) id: string,
    @Body({ schema: SetStatusRequest }) body: SetStatusRequest,
  ): Promise<Stream> {
    return this.streams.setStatus(user, id, body);
  }

  @Roles('admin')
  @Delete(':id')
  @ApiIfMatch()
  @HttpCode(204)
  @ApiOperation({ operationId: 'deleteStream', summary: 'Remove a stream; its capture ends' })
  @ApiResponse({ status: 204, description: 'Gone.' })
  @ApiErrors(400, 401, 403, 404)
  remove(
    @CurrentUser() user: AuthenticatedUser,
    @Param('id', { schema: Id }) id: string,
    @IfMatch() precondition: Precondition,
  ): Promise<void> {
    return this.streams.remove(user, id, precondition);
  }
}
