import { Body, Controller, HttpCode, Param, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { ApiErrors } from '../http/api-errors.js';
import { Id } from '../http/params.js';
import { ServiceScope } from '../service-tokens/service-scope.js';
import { PushChatRequest, PushChatResult } from './chat.dto.js';
import { ChatService } from './chat.service.js';

/** Chat that is sent in. */
@ApiTags('chat')
@ApiBearerAuth()
@Controller('streams')
export class ChatController {
  constructor(private readonly chat: ChatService) {}

  @ServiceScope('chat:push')
  @Post(':id/chat')
  @HttpCode(202)
  @ApiOperation({
    operationId: 'pushChat',
    summary: 'Send in what was written in the chat of a stream',
    description:
      'For whoever owns the chat, with a service token for `chat:push`. At most 500 messages and 1 MB. Sending a batch ' +
      'again does no harm: what was taken counts as `duplicates`. 409 when the stream or its chat is not watched; after ' +
      '503 nothing was taken.',
  })
  @ApiResponse({ status: 202, description: 'On its way to the monitor.', standardSchema: PushChatResult })
  @ApiErrors(400, 401, 403, 404, 409, 429, 503)
  push(
    @Param('id', { schema: Id }) id: string,
    @Body({ schema: PushChatRequest }) body: PushChatRequest,
  ): Promise<PushChatResult> {
    return this.chat.push(id, body);
  }
}
