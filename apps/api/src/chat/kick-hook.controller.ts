import { Controller, HttpCode, Post, Req } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { Request } from 'express';
import { AppError } from '#libs/errors/app-error.js';
import { Public } from '../auth/access.decorators.js';
import { ApiErrors } from '../http/api-errors.js';
import { PushChatResult } from './chat.dto.js';
import { ChatService } from './chat.service.js';
import { KickPublicKey } from './kick-webhook-key.js';
import { verifyKickWebhook, type KickWebhook } from './kick-webhook.js';

/** What Kick itself tells of its chats. */
@ApiTags('chat')
@Controller('hooks')
export class KickHookController {
  constructor(
    private readonly chat: ChatService,
    private readonly key: KickPublicKey,
  ) {}

  @Public()
  @Post('kick')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'receiveKickWebhook',
    summary: 'Webhooks of Kick',
    description:
      'Open to whoever signs as Kick does. Messages go to the monitored streams that have that Kick channel.',
  })
  @ApiResponse({ status: 200, description: 'Taken.', standardSchema: PushChatResult })
  @ApiErrors(400, 401, 429, 503)
  async receive(@Req() request: Request): Promise<PushChatResult> {
    return this.chat.kick(await this.verified(request));
  }

  private async verified({ headers, body }: Request): Promise<KickWebhook> {
    // Nobody's key is worth fetching for what claims no signature at all.
    if (headers['kick-event-signature'] === undefined) throw unsigned();
    const rawBody = Buffer.isBuffer(body) ? body : Buffer.alloc(0);
    const read = (publicKey: string): KickWebhook =>
      verifyKickWebhook({ headers, rawBody, publicKey, now: Date.now() });
    const kept = await this.key.pem();
    try {
      return read(kept);
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== unsigned().code) throw error;
      const fresh = await this.key.pem(true);
      if (fresh === kept) throw error;
      return read(fresh);
    }
  }
}

const unsigned = (): AppError =>
  new AppError('kick.signature.unauthorized', 'user', 'The signature of Kick is missing.');
