import { Injectable } from '@nestjs/common';
import { AppEvents } from '../events/app-events.js';
import { viewOf } from './notifications.dto.js';
import { NotificationsRepository } from './notifications.repository.js';

/** What the system itself has to say, in the app. */
@Injectable()
export class Notices {
  constructor(
    private readonly repository: NotificationsRepository,
    private readonly events: AppEvents,
  ) {}

  /** @param userId null for every admin. */
  async tell(userId: string | null, title: string, body: string): Promise<void> {
    const message = { kind: 'notice' as const, title, body, severity: 'medium' as const };
    const target = userId === null ? { role: 'admin' as const } : { userIds: [userId] };
    for (const row of await this.repository.insertMessage(target, message)) {
      this.events.emit('notification.created', { userId: row.userId, notification: viewOf(row) });
    }
  }
}
