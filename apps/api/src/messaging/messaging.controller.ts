import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { MessageIds, MessageView, NewMessage } from '#libs/contracts/sockets.js';
import { CurrentUser } from '../auth/access.decorators.js';
import type { AuthenticatedUser } from '../auth/authenticated-user.js';
import { ApiErrors } from '../http/api-errors.js';
import { PageQuery, type Page } from '../http/pagination.js';
import { Id } from '../http/params.js';
import {
  ConversationPage,
  MessagePage,
  MessageQuery,
  MessagesRead,
  UnreadMessages,
  type ConversationView,
} from './messaging.dto.js';
import { MessagingService } from './messaging.service.js';

/** What users write to each other. */
@ApiTags('messages')
@ApiBearerAuth()
@Controller()
export class MessagingController {
  constructor(private readonly messaging: MessagingService) {}

  @Get('conversations')
  @ApiOperation({ operationId: 'listConversations', summary: 'With whom you exchange messages, the newest first' })
  @ApiResponse({ status: 200, description: 'One page.', standardSchema: ConversationPage })
  @ApiErrors(400, 401)
  conversations(
    @CurrentUser() user: AuthenticatedUser,
    @Query({ schema: PageQuery }) { limit, cursor }: PageQuery,
  ): Promise<Page<ConversationView>> {
    return this.messaging.conversations(user.id, limit, cursor);
  }

  @Get('messages/unread-count')
  @ApiOperation({ operationId: 'countUnreadMessages', summary: 'How many messages you have not read' })
  @ApiResponse({ status: 200, description: 'The number.', standardSchema: UnreadMessages })
  @ApiErrors(401)
  countUnread(@CurrentUser() user: AuthenticatedUser): Promise<UnreadMessages> {
    return this.messaging.countUnread(user.id);
  }

  @Put('messages/read')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'markMessagesRead',
    summary: 'Mark messages to you as read',
    description: 'Ids that are not of messages to you change nothing.',
  })
  @ApiResponse({ status: 200, description: 'They are read.', standardSchema: MessagesRead })
  @ApiErrors(400, 401)
  markRead(
    @CurrentUser() user: AuthenticatedUser,
    @Body({ schema: MessageIds }) { ids }: MessageIds,
  ): Promise<MessagesRead> {
    return this.messaging.markRead(user.id, ids);
  }

  @Put('messages/:userId/read')
  @HttpCode(200)
  @ApiOperation({ operationId: 'markConversationRead', summary: 'Mark all that a user wrote to you as read' })
  @ApiResponse({ status: 200, description: 'They are read.', standardSchema: MessagesRead })
  @ApiErrors(400, 401, 404)
  markConversationRead(
    @CurrentUser() user: AuthenticatedUser,
    @Param('userId', { schema: Id }) userId: string,
  ): Promise<MessagesRead> {
    return this.messaging.markConversationRead(user.id, userId);
  }

  @Get('messages/:userId')
  @ApiOperation({
    operationId: 'listMessages',
    summary: 'What you and another user wrote, newest first',
    description: 'With `after`, oldest first from there: to catch up after a lost connection.',
  })
  @ApiResponse({ status: 200, description: 'One page.', standardSchema: MessagePage })
  @ApiErrors(400, 401, 404)
  history(
    @CurrentUser() user: AuthenticatedUser,
    @Param('userId', { schema: Id }) userId: string,
    @Query({ schema: MessageQuery }) query: MessageQuery,
  ): Promise<Page<MessageView>> {
    return this.messaging.history(user.id, userId, query);
  }

  @Post('messages/:userId')
  @ApiOperation({
    operationId: 'sendMessage',
    summary: 'Write to another user',
    description: 'Sent again with the same `clientId`, it answers with the message that is there.',
  })
  @ApiResponse({ status: 201, description: 'The message.', standardSchema: MessageView })
  @ApiErrors(400, 401, 404, 409, 429)
  send(
    @CurrentUser() user: AuthenticatedUser,
    @Param('userId', { schema: Id }) userId: string,
    @Body({ schema: NewMessage }) message: NewMessage,
  ): Promise<MessageView> {
    return this.messaging.send(user.id, userId, message);
  }

  @Delete('messages/:userId')
  @HttpCode(204)
  @ApiOperation({
    operationId: 'deleteConversation',
    summary: 'Delete your side of a conversation',
    description: 'The other one keeps it. What is written later is there again.',
  })
  @ApiResponse({ status: 204, description: 'It is gone from your side.' })
  @ApiErrors(400, 401, 404)
  putAway(@CurrentUser() user: AuthenticatedUser, @Param('userId', { schema: Id }) userId: string): Promise<void> {
    return this.messaging.putAway(user.id, userId);
  }
}
