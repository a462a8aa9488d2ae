import { Body, Controller, HttpCode, Post, UploadedFile, UseInterceptors } from '@nestjs/common';
import { FileInterceptor } from '@nestjs/platform-express';
import { ApiBearerAuth, ApiBody, ApiConsumes, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { CurrentUser } from '../auth/access.decorators.js';
import type { AuthenticatedUser } from '../auth/authenticated-user.js';
import { ApiErrors } from '../http/api-errors.js';
import { inPlace } from '../http/openapi.js';
import { invalidRequest } from '../http/validation.js';
import { KeywordTester } from '../rules/keywords/keyword-tester.js';
import { DetectForm, DetectRequest, DetectResult } from './detect.dto.js';
import { PictureInspector } from './picture-inspector.js';

/** The body is JSON or a form, so it is read here and not by the pipe that the schema would be documented by. */
const SCHEMA = inPlace(DetectRequest, 'DetectRequest');
/** Length of an image in a form at most, in bytes. */
const MOST_BYTES = 10 * 1_024 * 1_024;
const FORM_LIMITS = {
  ...{ fileSize: MOST_BYTES, files: 1, fields: 5, parts: 6 },
  ...{ fieldSize: 65_536, headerPairs: 20, fieldNameSize: 100 },
};

/** Looking at one thing on demand. */
@ApiTags('detections')
@ApiBearerAuth()
@Controller('detect')
export class DetectController {
  constructor(
    private readonly tester: KeywordTester,
    private readonly pictures: PictureInspector,
  ) {}

  @Post()
  @HttpCode(200)
  @UseInterceptors(FileInterceptor('image', { limits: FORM_LIMITS }))
  @ApiConsumes('application/json', 'multipart/form-data')
  @ApiBody({ schema: SCHEMA })
  @ApiOperation({
    operationId: 'detect',
    summary: 'Look at one text, one image or both on demand; nothing is kept',
    description:
      'The enabled keywords are looked for in the text. The image (JPEG, PNG, WebP or GIF by its content, no more than ' +
      '40 million pixels; in base64, or as a file of up to 10 MiB in a form) is looked at by whichever monitor takes it ' +
      'first, when no frame of a stream waits there. When none does within 10 s the answer is 503 and says what to do.',
  })
  @ApiResponse({ status: 200, description: 'What was found.', standardSchema: DetectResult })
  @ApiErrors(400, 401, 429, 503)
  async detect(
    @CurrentUser() user: AuthenticatedUser,
    @UploadedFile() file: { buffer: Buffer } | undefined,
    @Body() body: unknown,
  ): Promise<DetectResult> {
    const { image, text, speech, language, ...question } =
      file === undefined ? fromJson(body) : { ...parsed(DetectForm, body), image: file.buffer };
    const nothing: DetectResult = { hits: [], objects: [], image: null };
    const { hits } = text === undefined ? nothing : await this.tester.test(user, { text, speech, language });
    const { objects, image: seen } = image === undefined ? nothing : await this.pictures.inspect(image, question);
    return { hits, objects, image: seen };
  }
}

type Asked = Omit<DetectRequest, 'image'> & { image: Buffer | undefined };

function fromJson(body: unknown): Asked {
  const { image, ...rest } = parsed(DetectRequest, body);
  return { ...rest, image: image === undefined ? undefined : Buffer.from(image, 'base64') };
}

/** @throws AppError `request.invalid`. */
function parsed<Schema extends z.ZodType>(schema: Schema, body: unknown): z.output<Schema> {
  const result = schema.safeParse(body);
  if (!result.success) throw invalidRequest(result.error.issues);
  return result.data;
}
