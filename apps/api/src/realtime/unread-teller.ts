import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import { ROOMS } from '#libs/contracts/names.js';
import type { Logger } from '#libs/observability/logger.js';
import { MessagingService } from '../messaging/messaging.service.js';
import { NotificationsService } from '../notifications/notifications.service.js';
import { LOGGER } from '../runtime.module.js';
import { MessagesGateway, NotificationsGateway } from './gateways.js';
import { Paced } from './paced.js';

/** Tells users how much they have not read, after it changed; at most once a second. */
@Injectable()
export class UnreadTeller implements OnModuleDestroy {
  private readonly ofNotifications: Paced;
  private readonly ofMessages: Paced;

  constructor(
    notifications: NotificationsService,
    messaging: MessagingService,
    notificationsGateway: NotificationsGateway,
    messagesGateway: MessagesGateway,
    @Inject(LOGGER) logger: Logger,
  ) {
    const failed = (fault: string): void => {
      logger.warn({ fault }, 'what is unread could not be counted');
    };
    this.ofNotifications = new Paced(async (userIds) => {
      const counts = await notifications.countUnreadOf(userIds);
      for (const id of userIds) {
        notificationsGateway.broadcast?.emit([ROOMS.user(id)], 'unread', { notifications: counts.get(id) ?? 0 });
      }
    }, failed);
    this.ofMessages = new Paced(async (userIds) => {
      const counts = await messaging.countUnreadOf(userIds);
      for (const id of userIds) {
        messagesGateway.broadcast?.emit([ROOMS.user(id)], 'unread', { messages: counts.get(id) ?? 0 });
      }
    }, failed);
  }

  /** The user's number of notifications changed. */
  notificationsChanged(userId: string): void {
    this.ofNotifications.add(userId);
  }

  /** The user's number of messages changed. */
  messagesChanged(userId: string): void {
    this.ofMessages.add(userId);
  }

  onModuleDestroy(): void {
    this.ofNotifications.stop();
    this.ofMessages.stop();
  }
}
