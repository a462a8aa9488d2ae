import { Module } from '@nestjs/common';
import { AssignmentsModule } from '../assignments/assignments.module.js';
import { MessagingModule } from '../messaging/messaging.module.js';
import { NotificationsModule } from '../notifications/notifications.module.js';
import { StreamsModule } from '../streams/streams.module.js';
import { UsersModule } from '../users/users.module.js';
import { Announcer } from './announcer.js';
import { ForwardController } from './forward.controller.js';
import { ForwardService } from './forward.service.js';
import { MessagesGateway, NotificationsGateway, RootGateway } from './gateways.js';
import { MessageInbox } from './message-inbox.js';
import { Presence, PRESENCE_TIMES, presenceTimes } from './presence.js';
import { SocketCounters } from './socket-counters.js';
import { SocketSessions } from './socket-sessions.js';
import { UnreadTeller } from './unread-teller.js';

/** Socket.IO: who is connected, and what they are told. */
@Module({
  imports: [AssignmentsModule, MessagingModule, NotificationsModule, StreamsModule, UsersModule],
  controllers: [ForwardController],
  providers: [
    ForwardService,
    SocketSessions,
    SocketCounters,
    RootGateway,
    NotificationsGateway,
    MessagesGateway,
    MessageInbox,
    Announcer,
    Presence,
    { provide: PRESENCE_TIMES, useValue: presenceTimes },
    UnreadTeller,
  ],
})
export class RealtimeModule {}
