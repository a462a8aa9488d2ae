import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { Roles } from '../../auth/access.decorators.js';
import { ApiErrors } from '../../http/api-errors.js';
import { ApiIfMatch, IfMatch, Tagged, type Precondition } from '../../http/etag.js';
import { Idempotent } from '../../http/idempotent.js';
import { PageQuery, type Page } from '../../http/pagination.js';
import { Id } from '../../http/params.js';
import { CreateObjectRuleRequest, ObjectRulePage, ObjectRuleView, UpdateObjectRuleRequest } from './objects.dto.js';
import { ObjectsService } from './objects.service.js';

const versionOf = ({ version }: ObjectRuleView): number => version;

@ApiTags('objects')
@ApiBearerAuth()
@Controller('objects')
export class ObjectsController {
  constructor(private readonly rules: ObjectsService) {}

  @Get()
  @ApiOperation({ operationId: 'listObjects', summary: 'The watch list, by label' })
  @ApiResponse({ status: 200, description: 'One page.', standardSchema: ObjectRulePage })
  @ApiErrors(400, 401)
  list(@Query({ schema: PageQuery }) query: PageQuery): Promise<Page<ObjectRuleView>> {
    return this.rules.list(query);
  }

  @Roles('admin')
  @Post()
  @Idempotent()
  @Tagged(versionOf)
  @ApiOperation({ operationId: 'createObject', summary: 'Put an object on the watch list' })
  @ApiResponse({ status: 201, description: 'Monitors look for it from now on.', standardSchema: ObjectRuleView })
  @ApiErrors(400, 401, 403, 409)
  create(@Body({ schema: CreateObjectRuleRequest }) body: CreateObjectRuleRequest): Promise<ObjectRuleView> {
    return this.rules.create(body);
  }

  @Get(':id')
  @Tagged(versionOf)
  @ApiOperation({ operationId: 'getObject', summary: 'One object of the watch list' })
  @ApiResponse({ status: 200, description: 'The object.', standardSchema: ObjectRuleView })
  @ApiErrors(400, 401, 404)
  get(@Param('id', { schema: Id }) id: string): Promise<ObjectRuleView> {
    return this.rules.get(id);
  }

  @Roles('admin')
  @Patch(':id')
  @Tagged(versionOf)
  @ApiIfMatch()
  @ApiOperation({ operationId: 'updateObject', summary: 'Change an object of the watch list' })
  @ApiResponse({ status: 200, description: 'The object as it is now.', standardSchema: ObjectRuleView })
  @ApiErrors(400, 401, 403, 404, 409)
  update(
    @Param('id', { schema: Id }) id: string,
    @Body({ schema: UpdateObjectRuleRequest }) body: UpdateObjectRuleRequest,
    @IfMatch() precondition: Precondition,
  ): Promise<ObjectRuleView> {
    return this.rules.update(id, body, precondition);
  }

  @Roles('admin')
  @Delete(':id')
  @ApiIfMatch()
  @HttpCode(204)
  @ApiOperation({ operationId: 'deleteObject', summary: 'Take an object off the watch list' })
  @ApiResponse({ status: 204, description: 'Gone.' })
  @ApiErrors(400, 401, 403, 404)
  remove(@Param('id', { schema: Id }) id: string, @IfMatch() precondition: Precondition): Promise<void> {
    return this.rules.remove(id, precondition);
  }
}
