import { Module } from '@nestjs/common';
import { AssignmentsModule } from '../assignments/assignments.module.js';
import { NotificationsModule } from '../notifications/notifications.module.js';
import { Announcer } from './announcer.js';
import { NotificationsGateway, RootGateway } from './gateways.js';
import { Presence } from './presence.js';
import { SocketSessions } from './socket-sessions.js';
import { UnreadTeller } from './unread-teller.js';

/** Socket.IO: who is connected, and what they are told. */
@Module({
  imports: [AssignmentsModule, NotificationsModule],
  providers: [SocketSessions, RootGateway, NotificationsGateway, Announcer, Presence, UnreadTeller],
})
export class RealtimeModule {}
