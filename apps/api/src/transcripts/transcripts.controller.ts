import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { TranscriptView } from '#libs/contracts/sockets.js';
import { CurrentUser } from '../auth/access.decorators.js';
import type { AuthenticatedUser } from '../auth/authenticated-user.js';
import { ApiErrors } from '../http/api-errors.js';
import type { Page } from '../http/pagination.js';
import { Id } from '../http/params.js';
import {
  StreamTranscriptQuery,
  TranscriptHitPage,
  TranscriptPage,
  TranscriptSearch,
  type TranscriptHit,
} from './transcripts.dto.js';
import { TranscriptsService } from './transcripts.service.js';

/** What was said. */
@ApiTags('transcripts')
@ApiBearerAuth()
@Controller()
export class TranscriptsController {
  constructor(private readonly transcripts: TranscriptsService) {}

  @Get('streams/:id/transcripts')
  @ApiOperation({
    operationId: 'listStreamTranscripts',
    summary: 'What was said on a stream, newest first',
    description:
      'Empty for a stream that is not there or not assigned to the calling agent. Oldest first with `after`: what a ' +
      'client of the live captions missed.',
  })
  @ApiResponse({ status: 200, description: 'One page.', standardSchema: TranscriptPage })
  @ApiErrors(400, 401)
  listOfStream(
    @CurrentUser() user: AuthenticatedUser,
    @Param('id', { schema: Id }) streamId: string,
    @Query({ schema: StreamTranscriptQuery }) query: StreamTranscriptQuery,
  ): Promise<Page<TranscriptView>> {
    return this.transcripts.list(user, streamId, query);
  }

  @Get('transcripts')
  @ApiOperation({
    operationId: 'searchTranscripts',
    summary: 'Search in everything that was said, newest first',
    description: 'An agent finds what was said on the streams assigned to it. Words are taken as they are written.',
  })
  @ApiResponse({ status: 200, description: 'One page.', standardSchema: TranscriptHitPage })
  @ApiErrors(400, 401)
  search(
    @CurrentUser() user: AuthenticatedUser,
    @Query({ schema: TranscriptSearch }) query: TranscriptSearch,
  ): Promise<Page<TranscriptHit>> {
    return this.transcripts.search(user, query);
  }
}
