import { Body, Controller, Get, Header, Headers, Param, Patch, Query, StreamableFile } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiProduces, ApiResponse, ApiTags } from '@nestjs/swagger';
import { DetectionView } from '#libs/contracts/sockets.js';
import { CurrentUser, Public } from '../auth/access.decorators.js';
import type { AuthenticatedUser } from '../auth/authenticated-user.js';
import { ApiErrors } from '../http/api-errors.js';
import type { Page } from '../http/pagination.js';
import { Id } from '../http/params.js';
import {
  DetectionPage,
  DetectionQuery,
  ImageQuery,
  LinkQuery,
  PatchDetectionRequest,
  StreamDetectionQuery,
} from './detections.dto.js';
import { DetectionsService } from './detections.service.js';
import { EvidenceAccess } from './evidence-access.js';

/** What was detected, and the pictures and sounds that prove it. */
@ApiTags('detections')
@ApiBearerAuth()
@Controller()
export class DetectionsController {
  constructor(
    private readonly detections: DetectionsService,
    private readonly access: EvidenceAccess,
  ) {}

  @Get('detections')
  @ApiOperation({
    operationId: 'listDetections',
    summary: 'Detections, newest first',
    description:
      'An agent sees those of the streams assigned to it. Example: `?kind=video&label=person&severity=high&from=2026-01-01T00:00:00Z`.',
  })
  @ApiResponse({ status: 200, description: 'One page.', standardSchema: DetectionPage })
  @ApiErrors(400, 401)
  list(
    @CurrentUser() user: AuthenticatedUser,
    @Query({ schema: DetectionQuery }) query: DetectionQuery,
  ): Promise<Page<DetectionView>> {
    return this.detections.list(user, query);
  }

  @Get('streams/:id/detections')
  @ApiOperation({
    operationId: 'listStreamDetections',
    summary: 'Detections of one stream, newest first',
    description: 'Empty for a stream that is not there or not assigned to the calling agent.',
  })
  @ApiResponse({ status: 200, description: 'One page.', standardSchema: DetectionPage })
  @ApiErrors(400, 401)
  listOfStream(
    @CurrentUser() user: AuthenticatedUser,
    @Param('id', { schema: Id }) streamId: string,
    @Query({ schema: StreamDetectionQuery }) query: StreamDetectionQuery,
  ): Promise<Page<DetectionView>> {
    return this.detections.list(user, { ...query, streamId });
  }

  @Get('detections/:id')
  @ApiOperation({ operationId: 'getDetection', summary: 'One detection, with fresh links to its evidence' })
  @ApiResponse({ status: 200, description: 'The detection.', standardSchema: DetectionView })
  @ApiErrors(400, 401, 404)
  get(@CurrentUser() user: AuthenticatedUser, @Param('id', { schema: Id }) id: string): Promise<DetectionView> {
    return this.detections.get(user, id);
  }

  @Patch('detections/:id')
  @ApiOperation({ operationId: 'updateDetection', summary: 'Keep a detection however old it is, or no longer' })
  @ApiResponse({ status: 200, description: 'The detection.', standardSchema: DetectionView })
  @ApiErrors(400, 401, 404)
  update(
    @CurrentUser() user: AuthenticatedUser,
    @Param('id', { schema: Id }) id: string,
    @Body({ schema: PatchDetectionRequest }) { keep }: PatchDetectionRequest,
  ): Promise<DetectionView> {
    return this.detections.keep(user, id, keep);
  }

  @Public()
  @Get('detections/:id/image')
  @Header('Content-Type', 'image/jpeg')
  @Header('Cache-Control', 'private, max-age=3600')
  @Header('X-Content-Type-Options', 'nosniff')
  @ApiOperation({
    operationId: 'getDetectionImage',
    summary: 'The evidence image',
    description:
      'The clean frame as it was seen; with `boxes=1` the boxes are drawn over it. Open to a signed-in user who may ' +
      'see the detection, and to whoever has its `imageUrl`, which carries a signature and holds for an hour: ' +
      '`/api/detections/4be0643f-1d98-473b-97cd-ca98a65347dd/image?expires=1767225600000&signature=…&boxes=1`.',
  })
  @ApiProduces('image/jpeg')
  @ApiResponse({
    status: 200,
    description: 'A JPEG.',
    content: { 'image/jpeg': { schema: { type: 'string', format: 'binary' } } },
  })
  @ApiErrors(400, 401, 404)
  async image(
    @Param('id', { schema: Id }) id: string,
    @Query({ schema: ImageQuery }) query: ImageQuery,
    @Headers('authorization') authorization?: string,
  ): Promise<StreamableFile> {
    const viewer = await this.access.admit(id, 'image', query, authorization);
    return new StreamableFile(await this.detections.image(viewer, id, query.boxes), { type: 'image/jpeg' });
  }

  @Public()
  @Get('detections/:id/clip')
  @Header('Content-Type', 'audio/wav')
  @Header('Cache-Control', 'private, max-age=3600')
  @Header('X-Content-Type-Options', 'nosniff')
  @ApiOperation({
    operationId: 'getDetectionClip',
    summary: 'The stretch of sound',
    description:
      'What was heard, and a little around it. Open to a signed-in user who may see the detection, and to whoever has ' +
      'its `clipUrl`, which carries a signature and holds for an hour.',
  })
  @ApiProduces('audio/wav')
  @ApiResponse({
    status: 200,
    description: 'A WAV file.',
    content: { 'audio/wav': { schema: { type: 'string', format: 'binary' } } },
  })
  @ApiErrors(400, 401, 404)
  async clip(
    @Param('id', { schema: Id }) id: string,
    @Query({ schema: LinkQuery }) query: LinkQuery,
    @Headers('authorization') authorization?: string,
  ): Promise<StreamableFile> {
    const viewer = await this.access.admit(id, 'clip', query, authorization);
    return new StreamableFile(await this.detections.clip(viewer, id), { type: 'audio/wav' });
  }
}
