import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { AssignmentPage, type Assignment } from '../assignments/assignments.dto.js';
import { CurrentUser, Roles } from '../auth/access.decorators.js';
import type { AuthenticatedUser } from '../auth/authenticated-user.js';
import { ApiErrors } from '../http/api-errors.js';
import { ApiIfMatch, IfMatch, Tagged, type Precondition } from '../http/etag.js';
import { Idempotent } from '../http/idempotent.js';
import { PageQuery, type Page } from '../http/pagination.js';
import { Id } from '../http/params.js';
import { Agent, AgentPage, CreateAgentRequest, CreatedAgent, OnlineUsers, UpdateAgentRequest } from './agents.dto.js';
import { AgentsService } from './agents.service.js';

const versionOf = ({ version }: Agent): number => version;

@ApiTags('agents')
@ApiBearerAuth()
@Controller()
export class AgentsController {
  constructor(private readonly agents: AgentsService) {}

  @Roles('admin')
  @Get('agents')
  @ApiOperation({ operationId: 'listAgents', summary: 'All agents, by user name' })
  @ApiResponse({ status: 200, description: 'One page.', standardSchema: AgentPage })
  @ApiErrors(400, 401, 403)
  list(@Query({ schema: PageQuery }) query: PageQuery): Promise<Page<Agent>> {
    return this.agents.list(query);
  }

  @Roles('admin')
  @Post('agents')
  @Idempotent()
  @Tagged(({ agent }: CreatedAgent) => agent.version)
  @ApiOperation({ operationId: 'createAgent', summary: 'Make an agent' })
  @ApiResponse({ status: 201, description: 'Made.', standardSchema: CreatedAgent })
  @ApiErrors(400, 401, 403, 409)
  create(@Body({ schema: CreateAgentRequest }) body: CreateAgentRequest): Promise<CreatedAgent> {
    return this.agents.create(body);
  }

  @Get('agents/:id')
  @Tagged(versionOf)
  @ApiOperation({ operationId: 'getAgent', summary: 'One agent; agents see themselves alone' })
  @ApiResponse({ status: 200, description: 'The agent.', standardSchema: Agent })
  @ApiErrors(400, 401, 404)
  get(@CurrentUser() user: AuthenticatedUser, @Param('id', { schema: Id }) id: string): Promise<Agent> {
    return this.agents.get(user, id);
  }

  @Roles('admin')
  @Patch('agents/:id')
  @Tagged(versionOf)
  @ApiIfMatch()
  @ApiOperation({ operationId: 'updateAgent', summary: 'Change, disable or enable an agent' })
  @ApiResponse({ status: 200, description: 'The agent as it is now.', standardSchema: Agent })
  @ApiErrors(400, 401, 403, 404, 409)
  update(
    @CurrentUser() user: AuthenticatedUser,
    @Param('id', { schema: Id }) id: string,
    @Body({ schema: UpdateAgentRequest }) body: UpdateAgentRequest,
    @IfMatch() precondition: Precondition,
  ): Promise<Agent> {
    return this.agents.update(user, id, body, precondition);
  }

  @Roles('admin')
  @Delete('agents/:id')
  @ApiIfMatch()
  @HttpCode(204)
  @ApiOperation({ operationId: 'deleteAgent', summary: 'Remove an agent with its sign-ins and assignments' })
  @ApiResponse({ status: 204, description: 'Gone.' })
  @ApiErrors(400, 401, 403, 404)
  remove(
    @CurrentUser() user: AuthenticatedUser,
    @Param('id', { schema: Id }) id: string,
    @IfMatch() precondition: Precondition,
  ): Promise<void> {
    return this.agents.remove(user, id, precondition);
  }

  @Get('agents/:id/assignments')
  @ApiOperation({ operationId: 'listAgentAssignments', summary: 'What an agent looks after; agents see their own' })
  @ApiResponse({ status: 200, description: 'One page.', standardSchema: AssignmentPage })
  @ApiErrors(400, 401, 404)
  assignments(
    @CurrentUser() user: AuthenticatedUser,
    @Param('id', { schema: Id }) id: string,
    @Query({ schema: PageQuery }) query: PageQuery,
  ): Promise<Page<Assignment>> {
    return this.agents.assignmentsOf(user, id, query);
  }

  @Roles('admin')
  @Get('online-users')
  @ApiOperation({ operationId: 'listOnlineUsers', summary: 'Users with at least one open socket' })
  @ApiResponse({ status: 200, description: 'Who is online.', standardSchema: OnlineUsers })
  @ApiErrors(401, 403, 503)
  online(): Promise<OnlineUsers> {
    return this.agents.online();
  }
}
