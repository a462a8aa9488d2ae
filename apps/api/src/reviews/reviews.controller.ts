import { Body, Controller, Get, Param, Put } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { CurrentUser } from '../auth/access.decorators.js';
import type { AuthenticatedUser } from '../auth/authenticated-user.js';
import { ApiErrors } from '../http/api-errors.js';
import { Id } from '../http/params.js';
import { PutVerdictRequest, VerdictHistory, VerdictView } from './reviews.dto.js';
import { ReviewsService } from './reviews.service.js';

/** What people say of findings. */
@ApiTags('detections')
@ApiBearerAuth()
@Controller('detections')
export class ReviewsController {
  constructor(private readonly reviews: ReviewsService) {}

  @Put(':id/verdict')
  @ApiOperation({ operationId: 'putVerdict', summary: 'Say whether a detection is right; the newest verdict stands' })
  @ApiResponse({ status: 200, description: 'The verdict.', standardSchema: VerdictView })
  @ApiErrors(400, 401, 404)
  put(
    @CurrentUser() user: AuthenticatedUser,
    @Param('id', { schema: Id }) id: string,
    @Body({ schema: PutVerdictRequest }) body: PutVerdictRequest,
  ): Promise<VerdictView> {
    return this.reviews.give(user, id, body);
  }

  @Get(':id/verdicts')
  @ApiOperation({ operationId: 'listVerdicts', summary: 'All verdicts of a detection, newest first' })
  @ApiResponse({ status: 200, description: 'The verdicts.', standardSchema: VerdictHistory })
  @ApiErrors(400, 401, 404)
  history(@CurrentUser() user: AuthenticatedUser, @Param('id', { schema: Id }) id: string): Promise<VerdictHistory> {
    return this.reviews.history(user, id);
  }
}
