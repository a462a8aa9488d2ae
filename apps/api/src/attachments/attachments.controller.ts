import { Controller, Get, Param, Post, Res, StreamableFile, UploadedFile, UseInterceptors } from '@nestjs/common';
import { FileInterceptor } from '@nestjs/platform-express';
import { ApiBearerAuth, ApiBody, ApiConsumes, ApiOperation, ApiProduces, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { AttachmentView } from '#libs/contracts/sockets.js';
import { CurrentUser } from '../auth/access.decorators.js';
import type { AuthenticatedUser } from '../auth/authenticated-user.js';
import { ApiErrors } from '../http/api-errors.js';
import { Id } from '../http/params.js';
import { AttachmentsService, type UploadedAttachment } from './attachments.service.js';

/** Length of a file at most, in bytes. */
const MOST_BYTES = 10 * 1_024 * 1_024;
/** One file and nothing else, kept in memory until it is known what it is. */
const LIMITS = { fileSize: MOST_BYTES, files: 1, fields: 0, parts: 1, headerPairs: 20, fieldNameSize: 100 };

/** Files that are sent along with messages. */
@ApiTags('messages')
@ApiBearerAuth()
@Controller('attachments')
export class AttachmentsController {
  constructor(private readonly attachments: AttachmentsService) {}

  @Post()
  @UseInterceptors(FileInterceptor('file', { limits: LIMITS, defParamCharset: 'utf8' }))
  @ApiOperation({
    operationId: 'uploadAttachment',
    summary: 'Upload a file to send with a message',
    description:
      'At most 10 MiB of PNG, JPEG, WebP, GIF, PDF, WAV, MP3 or plain text in UTF-8, recognised by content. Pictures ' +
      'are written anew without metadata. Send its id in `attachmentIds` of a message within a day.',
  })
  @ApiConsumes('multipart/form-data')
  @ApiBody({
    schema: {
      type: 'object',
      properties: { file: { type: 'string', format: 'binary' } },
      required: ['file'],
    },
  })
  @ApiResponse({ status: 201, description: 'It is kept.', standardSchema: AttachmentView })
  @ApiErrors(400, 401, 429, 503)
  @ApiResponse({
    status: 413,
    description: 'Longer than 10 MiB.',
    content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
  })
  upload(
    @CurrentUser() user: AuthenticatedUser,
    @UploadedFile() file: UploadedAttachment | undefined,
  ): Promise<AttachmentView> {
    return this.attachments.upload(user.id, file);
  }

  @Get(':id')
  @ApiOperation({
    operationId: 'getAttachment',
    summary: 'Fetch a file',
    description: 'For whoever uploaded it, and for both of the conversation it was sent in.',
  })
  @ApiProduces('application/octet-stream')
  @ApiResponse({
    status: 200,
    description: 'The file, to be saved.',
    content: { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } },
  })
  @ApiErrors(400, 401, 404, 503)
  async fetch(
    @CurrentUser() user: AuthenticatedUser,
    @Param('id', { schema: Id }) id: string,
    @Res({ passthrough: true }) response: Response,
  ): Promise<StreamableFile> {
    const { attachment, content } = await this.attachments.open(user.id, id);
    response.attachment(attachment.name);
    response.setHeader('Cache-Control', 'private, max-age=3600');
    response.setHeader('X-Content-Type-Options', 'nosniff');
    response.setHeader('Content-Security-Policy', "default-src 'none'; sandbox");
    response.setHeader('Cross-Origin-Resource-Policy', 'same-site');
    const charset = attachment.contentType === 'text/plain' ? '; charset=utf-8' : '';
    return new StreamableFile(content.stream, { type: attachment.contentType + charset, length: content.size });
  }
}
