import { Body, Controller, Get, HttpCode, Param, Post, Sse, UseGuards, type MessageEvent } from '@nestjs/common';
import { ApiBearerAuth, ApiBody, ApiConsumes, ApiOperation, ApiProduces, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { Observable } from 'rxjs';
import { CurrentUser, Roles } from '../../auth/access.decorators.js';
import type { AuthenticatedUser } from '../../auth/authenticated-user.js';
import { ApiErrors } from '../../http/api-errors.js';
import { Idempotent } from '../../http/idempotent.js';
import { inPlace } from '../../http/openapi.js';
import { Id } from '../../http/params.js';
import { invalidRequest } from '../../http/validation.js';
import { CreateStreamRequest } from '../streams.dto.js';
import { rowsOfCsv } from './import-rows.js';
import { jobEvents } from './job-events.js';
import { KnownJob } from './known-job.guard.js';
import { ImportStreamsRequest, RefreshStreamsRequest, StreamJob } from './stream-jobs.dto.js';
import { StreamJobsService } from './stream-jobs.service.js';

/** The body is JSON or CSV, so it is read here and not by the pipe that the schema would be documented by. */
const IMPORT_SCHEMA = inPlace(ImportStreamsRequest, 'ImportStreamsRequest');

/** Work on streams that takes a while. */
@ApiTags('streams')
@ApiBearerAuth()
@Roles('admin')
@Controller('streams')
export class StreamJobsController {
  constructor(private readonly jobs: StreamJobsService) {}

  @Post('jobs')
  @Idempotent()
  @HttpCode(202)
  @ApiOperation({
    operationId: 'startStreamJob',
    summary: 'Add a stream, have it watched, follow it until it is on air',
  })
  @ApiResponse({ status: 202, description: 'Begun; see GET /streams/jobs/{id}.', standardSchema: StreamJob })
  @ApiErrors(400, 401, 403, 409, 429)
  start(
    @CurrentUser() user: AuthenticatedUser,
    @Body({ schema: CreateStreamRequest }) body: CreateStreamRequest,
  ): Promise<StreamJob> {
    return this.jobs.start(user, body);
  }

  @Post('import')
  @Idempotent()
  @HttpCode(202)
  @ApiConsumes('application/json', 'text/csv')
  @ApiBody({ schema: IMPORT_SCHEMA })
  @ApiOperation({
    operationId: 'importStreams',
    summary: 'Add many streams; each row has its own result',
    description: 'JSON, or `text/csv` with a header line such as `name,url,platform,priority`.',
  })
  @ApiResponse({ status: 202, description: 'Begun; see GET /streams/jobs/{id}.', standardSchema: StreamJob })
  @ApiErrors(400, 401, 403, 429)
  import(@CurrentUser() user: AuthenticatedUser, @Body() body: unknown): Promise<StreamJob> {
    const request = ImportStreamsRequest.safeParse(typeof body === 'string' ? { streams: rowsOfCsv(body) } : body);
    if (!request.success) throw invalidRequest(request.error.issues);
    return this.jobs.import(user, request.data.streams);
  }

  @Post('refresh')
  @HttpCode(202)
  @ApiOperation({ operationId: 'refreshStreams', summary: 'Look for streams anew: chosen ones, or all of a platform' })
  @ApiResponse({ status: 202, description: 'Begun; see GET /streams/jobs/{id}.', standardSchema: StreamJob })
  @ApiErrors(400, 401, 403, 429)
  refreshMany(
    @CurrentUser() user: AuthenticatedUser,
    @Body({ schema: RefreshStreamsRequest }) body: RefreshStreamsRequest,
  ): Promise<StreamJob> {
    return this.jobs.refresh(user, body);
  }

  @Post(':id/refresh')
  @HttpCode(202)
  @ApiOperation({ operationId: 'refreshStream', summary: 'Look for a stream anew' })
  @ApiResponse({ status: 202, description: 'Begun; see GET /streams/jobs/{id}.', standardSchema: StreamJob })
  @ApiErrors(400, 401, 403, 404, 429)
  refresh(@CurrentUser() user: AuthenticatedUser, @Param('id', { schema: Id }) id: string): Promise<StreamJob> {
    return this.jobs.refreshOne(user, id);
  }

  @Get('jobs/:id')
  @ApiOperation({ operationId: 'getStreamJob', summary: 'How far a job has come' })
  @ApiResponse({ status: 200, description: 'The job.', standardSchema: StreamJob })
  @ApiErrors(400, 401, 403, 404)
  get(@Param('id', { schema: Id }) id: string): Promise<StreamJob> {
    return this.jobs.get(id);
  }

  @UseGuards(KnownJob)
  @Sse('jobs/:id/events')
  @ApiProduces('text/event-stream')
  @ApiOperation({
    operationId: 'followStreamJob',
    summary: 'The same as server-sent events, until the job is over',
    description: 'Each event is named `job` and carries a StreamJob as JSON.',
  })
  @ApiResponse({
    status: 200,
    description: 'Events.',
    content: { 'text/event-stream': { schema: { type: 'string' } } },
  })
  @ApiErrors(400, 401, 403, 404)
  follow(@Param('id', { schema: Id }) id: string): Observable<MessageEvent> {
    return jobEvents(() => this.jobs.get(id));
  }
}
