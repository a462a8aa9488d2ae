import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { CurrentUser, Roles } from '../../auth/access.decorators.js';
import type { AuthenticatedUser } from '../../auth/authenticated-user.js';
import { ApiErrors } from '../../http/api-errors.js';
import { ApiIfMatch, IfMatch, Tagged, type Precondition } from '../../http/etag.js';
import { Idempotent } from '../../http/idempotent.js';
import { Id } from '../../http/params.js';
import { CreateZoneRequest, UpdateZoneRequest, ZoneList, ZoneView } from './zones.dto.js';
import { ZonesService } from './zones.service.js';

const versionOf = ({ version }: ZoneView): number => version;

@ApiTags('zones')
@ApiBearerAuth()
@Controller('streams/:streamId/zones')
export class ZonesController {
  constructor(private readonly zones: ZonesService) {}

  @Get()
  @ApiOperation({ operationId: 'listZones', summary: "Zones of a stream's picture, by name" })
  @ApiResponse({ status: 200, description: 'All of them.', standardSchema: ZoneList })
  @ApiErrors(400, 401, 404)
  list(@CurrentUser() user: AuthenticatedUser, @Param('streamId', { schema: Id }) streamId: string): Promise<ZoneList> {
    return this.zones.list(user, streamId);
  }

  @Roles('admin')
  @Post()
  @Idempotent()
  @Tagged(versionOf)
  @ApiOperation({ operationId: 'createZone', summary: 'Mark a part of the picture in which objects count, or do not' })
  @ApiResponse({ status: 201, description: 'It holds from now on.', standardSchema: ZoneView })
  @ApiErrors(400, 401, 403, 404, 409)
  create(
    @CurrentUser() user: AuthenticatedUser,
    @Param('streamId', { schema: Id }) streamId: string,
    @Body({ schema: CreateZoneRequest }) body: CreateZoneRequest,
  ): Promise<ZoneView> {
    return this.zones.create(user, streamId, body);
  }

  @Get(':id')
  @Tagged(versionOf)
  @ApiOperation({ operationId: 'getZone', summary: 'One zone' })
  @ApiResponse({ status: 200, description: 'The zone.', standardSchema: ZoneView })
  @ApiErrors(400, 401, 404)
  get(
    @CurrentUser() user: AuthenticatedUser,
    @Param('streamId', { schema: Id }) streamId: string,
    @Param('id', { schema: Id }) id: string,
  ): Promise<ZoneView> {
    return this.zones.get(user, streamId, id);
  }

  @Roles('admin')
  @Patch(':id')
  @Tagged(versionOf)
  @ApiIfMatch()
  @ApiOperation({ operationId: 'updateZone', summary: 'Change a zone' })
  @ApiResponse({ status: 200, description: 'The zone as it is now.', standardSchema: ZoneView })
  @ApiErrors(400, 401, 403, 404, 409)
  update(
    @CurrentUser() user: AuthenticatedUser,
    @Param('streamId', { schema: Id }) streamId: string,
    @Param('id', { schema: Id }) id: string,
    @Body({ schema: UpdateZoneRequest }) body: UpdateZoneRequest,
    @IfMatch() precondition: Precondition,
  ): Promise<ZoneView> {
    return this.zones.update(user, { streamId, id }, body, precondition);
  }

  @Roles('admin')
  @Delete(':id')
  @ApiIfMatch()
  @HttpCode(204)
  @ApiOperation({ operationId: 'deleteZone', summary: 'Remove a zone' })
  @ApiResponse({ status: 204, description: 'Gone.' })
  @ApiErrors(400, 401, 403, 404)
  remove(
    @CurrentUser() user: AuthenticatedUser,
    @Param('streamId', { schema: Id }) streamId: string,
    @Param('id', { schema: Id }) id: string,
    @IfMatch() precondition: Precondition,
  ): Promise<void> {
    return this.zones.remove(user, { streamId, id }, precondition);
  }
}
