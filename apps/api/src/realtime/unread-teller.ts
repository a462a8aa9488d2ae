import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import { ROOMS } from '#libs/contracts/names.js';
import { messageOf } from '#libs/errors/app-error.js';
import type { Logger } from '#libs/observability/logger.js';
import { NotificationsService } from '../notifications/notifications.service.js';
import { LOGGER } from '../runtime.module.js';
import { NotificationsGateway } from './gateways.js';

/** A user hears of the number at most once in so long, in ms, however many notifications come. */
const PACE_MS = 1_000;

/** Tells users how many notifications they have not read, after it changed. */
@Injectable()
export class UnreadTeller implements OnModuleDestroy {
  private readonly due = new Set<string>();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly notifications: NotificationsService,
    private readonly gateway: NotificationsGateway,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** The number of this user changed; bounded by the number of users. */
  changed(userId: string): void {
    this.due.add(userId);
    this.timer ??= setTimeout(() => void this.tell(), PACE_MS);
  }

  onModuleDestroy(): void {
    clearTimeout(this.timer);
  }

  private async tell(): Promise<void> {
    const userIds = [...this.due];
    this.due.clear();
    this.timer = undefined;
    try {
      const counts = await this.notifications.countUnreadOf(userIds);
      for (const userId of userIds) {
        this.gateway.namespace?.to(ROOMS.user(userId)).emit('unread', { notifications: counts.get(userId) ?? 0 });
      }
    } catch (error) {
      this.logger.warn({ fault: messageOf(error) }, 'unread notifications could not be counted');
    }
  }
}
