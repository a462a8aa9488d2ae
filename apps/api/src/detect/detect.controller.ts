import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { AppError } from '#libs/errors/app-error.js';
import { CurrentUser } from '../auth/access.decorators.js';
import type { AuthenticatedUser } from '../auth/authenticated-user.js';
import { ApiErrors } from '../http/api-errors.js';
import { KeywordTester } from '../rules/keywords/keyword-tester.js';
import { DetectRequest, DetectResult } from './detect.dto.js';

/** Looking at one thing on demand. */
@ApiTags('detections')
@ApiBearerAuth()
@Controller('detect')
export class DetectController {
  constructor(private readonly tester: KeywordTester) {}

  @Post()
  @HttpCode(200)
  @ApiOperation({
    operationId: 'detect',
    summary: 'Look at one text on demand; nothing is kept',
    description:
      'The enabled keywords are looked for in the text. Images are looked at by monitors alone, which do not answer ' +
      'single ones: a request with an image gets 503.',
  })
  @ApiResponse({ status: 200, description: 'What was found.', standardSchema: DetectResult })
  @ApiErrors(400, 401, 429, 503)
  async detect(
    @CurrentUser() user: AuthenticatedUser,
    @Body({ schema: DetectRequest }) { text, speech, language, image }: DetectRequest,
  ): Promise<DetectResult> {
    if (image !== undefined || text === undefined) throw noDetectorForImages();
    const { hits } = await this.tester.test(user, { text, speech, language });
    return { hits };
  }
}

function noDetectorForImages(): AppError {
  return new AppError(
    'detect.image.unavailable',
    'operational',
    'No monitor looks at single images: send `text` alone, or add the source as a stream and start it.',
  );
}
