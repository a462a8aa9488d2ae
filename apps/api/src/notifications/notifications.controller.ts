import { Controller, Get, HttpCode, Param, Put, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { NotificationView } from '#libs/contracts/sockets.js';
import { CurrentUser } from '../auth/access.decorators.js';
import type { AuthenticatedUser } from '../auth/authenticated-user.js';
import { ApiErrors } from '../http/api-errors.js';
import type { Page } from '../http/pagination.js';
import { Id } from '../http/params.js';
import { NotificationPage, NotificationQuery, ReadAllResult, UnreadCount } from './notifications.dto.js';
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
}
