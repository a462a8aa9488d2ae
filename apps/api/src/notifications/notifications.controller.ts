import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Put, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { NotificationView } from '#libs/contracts/sockets.js';
import { CurrentUser, Roles } from '../auth/access.decorators.js';
import type { AuthenticatedUser } from '../auth/authenticated-user.js';
import { ApiErrors } from '../http/api-errors.js';
import { Idempotent } from '../http/idempotent.js';
import { PageQuery, type Page } from '../http/pagination.js';
import { Id } from '../http/params.js';
import {
  DeletedResult,
  DeleteQuery,
  ForwardRequest,
  NotificationPage,
  NotificationQuery,
  ReadAllResult,
  SendNotificationRequest,
  SentResult,
  UnreadCount,
  UpdateNotificationRequest,
} from './notifications.dto.js';
import { NotificationsService } from './notifications.service.js';

@ApiTags('notifications')
@ApiBearerAuth()
@Controller('notifications')
export class NotificationsController {
  constructor(private readonly notifications: NotificationsService) {}

  @Get()
  @ApiOperation({ operationId: 'listNotifications', summary: 'Your notifications, newest first' })
  @ApiResponse({ status: 200, description: 'One page.', standardSchema: NotificationPage })
  @ApiErrors(400, 401)
  list(
    @CurrentUser() user: AuthenticatedUser,
    @Query({ schema: NotificationQuery }) query: NotificationQuery,
  ): Promise<Page<NotificationView>> {
    return this.notifications.list(user.id, query);
  }

  @Get('unread-count')
  @ApiOperation({ operationId: 'countUnreadNotifications', summary: 'How many you have not read' })
  @ApiResponse({ status: 200, description: 'The number.', standardSchema: UnreadCount })
  @ApiErrors(401)
  countUnread(@CurrentUser() user: AuthenticatedUser): Promise<UnreadCount> {
    return this.notifications.countUnread(user.id);
  }

  @Get('forwarded')
  @ApiOperation({ operationId: 'listForwardedNotifications', summary: 'What you have forwarded, newest first' })
  @ApiResponse({ status: 200, description: 'One page, as the recipients see it.', standardSchema: NotificationPage })
  @ApiErrors(400, 401)
  forwarded(
    @CurrentUser() user: AuthenticatedUser,
    @Query({ schema: PageQuery }) query: PageQuery,
  ): Promise<Page<NotificationView>> {
    return this.notifications.forwarded(user.id, query);
  }

  @Roles('admin')
  @Post()
  @Idempotent()
  @ApiOperation({ operationId: 'sendNotification', summary: 'Tell users, or everybody of a role, something' })
  @ApiResponse({ status: 201, description: 'They are told.', standardSchema: SentResult })
  @ApiErrors(400, 401, 403)
  send(
    @CurrentUser() user: AuthenticatedUser,
    @Body({ schema: SendNotificationRequest }) body: SendNotificationRequest,
  ): Promise<SentResult> {
    return this.notifications.send(user, body);
  }

  @Delete()
  @HttpCode(200)
  @ApiOperation({ operationId: 'deleteNotifications', summary: "Delete all of yours; everybody's with `all=true`" })
  @ApiResponse({ status: 200, description: 'They are gone.', standardSchema: DeletedResult })
  @ApiErrors(400, 401, 403)
  removeAll(
    @CurrentUser() user: AuthenticatedUser,
    @Query({ schema: DeleteQuery }) { all }: DeleteQuery,
  ): Promise<DeletedResult> {
    return this.notifications.removeAll(user, all === true);
  }

  @Put('read-all')
  @HttpCode(200)
  @ApiOperation({ operationId: 'markAllNotificationsRead', summary: 'Mark all of yours as read' })
  @ApiResponse({ status: 200, description: 'All are read.', standardSchema: ReadAllResult })
  @ApiErrors(401)
  markAllRead(@CurrentUser() user: AuthenticatedUser): Promise<ReadAllResult> {
    return this.notifications.markAllRead(user.id);
  }

  @Put(':id/read')
  @HttpCode(200)
  @ApiOperation({ operationId: 'markNotificationRead', summary: 'Mark one of yours as read' })
  @ApiResponse({ status: 200, description: 'The notification as it is now.', standardSchema: NotificationView })
  @ApiErrors(400, 401, 404)
  markRead(@CurrentUser() user: AuthenticatedUser, @Param('id', { schema: Id }) id: string): Promise<NotificationView> {
    return this.notifications.markRead(user.id, id);
  }

  @Get(':id')
  @ApiOperation({ operationId: 'getNotification', summary: 'One of yours' })
  @ApiResponse({ status: 200, description: 'The notification.', standardSchema: NotificationView })
  @ApiErrors(400, 401, 404)
  get(@CurrentUser() user: AuthenticatedUser, @Param('id', { schema: Id }) id: string): Promise<NotificationView> {
    return this.notifications.get(user.id, id);
  }

  @Patch(':id')
  @ApiOperation({ operationId: 'updateNotification', summary: 'Mark one of yours as read or unread' })
  @ApiResponse({ status: 200, description: 'The notification as it is now.', standardSchema: NotificationView })
  @ApiErrors(400, 401, 404)
  update(
    @CurrentUser() user: AuthenticatedUser,
    @Param('id', { schema: Id }) id: string,
    @Body({ schema: UpdateNotificationRequest }) { read }: UpdateNotificationRequest,
  ): Promise<NotificationView> {
    return read ? this.notifications.markRead(user.id, id) : this.notifications.markUnread(user.id, id);
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiOperation({ operationId: 'deleteNotification', summary: 'Delete one of yours' })
  @ApiResponse({ status: 204, description: 'Gone; what was detected stays.' })
  @ApiErrors(400, 401, 404)
  remove(@CurrentUser() user: AuthenticatedUser, @Param('id', { schema: Id }) id: string): Promise<void> {
    return this.notifications.remove(user.id, id);
  }

  @Put(':id/unread')
  @HttpCode(200)
  @ApiOperation({ operationId: 'markNotificationUnread', summary: 'Mark one of yours as unread' })
  @ApiResponse({ status: 200, description: 'The notification as it is now.', standardSchema: NotificationView })
  @ApiErrors(400, 401, 404)
  markUnread(
    @CurrentUser() user: AuthenticatedUser,
    @Param('id', { schema: Id }) id: string,
  ): Promise<NotificationView> {
    return this.notifications.markUnread(user.id, id);
  }

  @Post(':id/acknowledge')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'acknowledgeNotification',
    summary: 'Take it on',
    description: 'Reading says that somebody saw it; this says that you look after it, and ends its escalation.',
  })
  @ApiResponse({ status: 200, description: 'The notification as it is now.', standardSchema: NotificationView })
  @ApiErrors(400, 401, 404)
  acknowledge(
    @CurrentUser() user: AuthenticatedUser,
    @Param('id', { schema: Id }) id: string,
  ): Promise<NotificationView> {
    return this.notifications.acknowledge(user.id, id);
  }

  @Post(':id/forward')
  @Idempotent()
  @ApiOperation({ operationId: 'forwardNotification', summary: 'Pass one of yours on to colleagues, with a note' })
  @ApiResponse({ status: 201, description: 'They are told.', standardSchema: SentResult })
  @ApiErrors(400, 401, 403, 404)
  forward(
    @CurrentUser() user: AuthenticatedUser,
    @Param('id', { schema: Id }) id: string,
    @Body({ schema: ForwardRequest }) body: ForwardRequest,
  ): Promise<SentResult> {
    return this.notifications.forward(user, id, body);
  }
}
