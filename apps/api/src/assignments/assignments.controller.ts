import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { CurrentUser, Roles } from '../auth/access.decorators.js';
import type { AuthenticatedUser } from '../auth/authenticated-user.js';
import { ApiErrors } from '../http/api-errors.js';
import { Idempotent } from '../http/idempotent.js';
import type { Page } from '../http/pagination.js';
import { Id } from '../http/params.js';
import {
  Assignment,
  AssignmentList,
  AssignmentPage,
  AssignmentQuery,
  CreateAssignmentRequest,
  ReplaceAssignmentsRequest,
} from './assignments.dto.js';
import { AssignmentsService } from './assignments.service.js';

@ApiTags('assignments')
@ApiBearerAuth()
@Controller()
export class AssignmentsController {
  constructor(private readonly assignments: AssignmentsService) {}

  @Get('assignments')
  @ApiOperation({ operationId: 'listAssignments', summary: 'Who looks after what; agents see their own' })
  @ApiResponse({ status: 200, description: 'One page.', standardSchema: AssignmentPage })
  @ApiErrors(400, 401)
  list(
    @CurrentUser() user: AuthenticatedUser,
    @Query({ schema: AssignmentQuery }) query: AssignmentQuery,
  ): Promise<Page<Assignment>> {
    return this.assignments.list(user, query);
  }

  @Roles('admin')
  @Post('assignments')
  @Idempotent()
  @ApiOperation({
    operationId: 'createAssignment',
    summary: 'Let an agent look after a stream; without `agentId` the api chooses one',
  })
  @ApiResponse({ status: 201, description: 'Assigned.', standardSchema: Assignment })
  @ApiErrors(400, 401, 403, 404, 409)
  create(@Body({ schema: CreateAssignmentRequest }) body: CreateAssignmentRequest): Promise<Assignment> {
    return this.assignments.create(body);
  }

  @Roles('admin')
  @Put('streams/:id/assignments')
  @ApiOperation({ operationId: 'replaceStreamAssignments', summary: 'Say who looks after a stream, and nobody else' })
  @ApiResponse({ status: 200, description: 'Who looks after it now.', standardSchema: AssignmentList })
  @ApiErrors(400, 401, 403, 404)
  replace(
    @Param('id', { schema: Id }) streamId: string,
    @Body({ schema: ReplaceAssignmentsRequest }) body: ReplaceAssignmentsRequest,
  ): Promise<AssignmentList> {
    return this.assignments.replace(streamId, body);
  }

  @Roles('admin')
  @Delete('assignments/:id')
  @HttpCode(204)
  @ApiOperation({ operationId: 'deleteAssignment', summary: 'Take a stream away from an agent' })
  @ApiResponse({ status: 204, description: 'Gone; open sockets of the agent no longer hear of the stream.' })
  @ApiErrors(400, 401, 403, 404)
  remove(@Param('id', { schema: Id }) id: string): Promise<void> {
    return this.assignments.remove(id);
  }
}
