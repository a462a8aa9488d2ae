import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { ROOMS } from '#libs/contracts/names.js';
import { AppEvents } from '../events/app-events.js';
import { MessagesGateway, NotificationsGateway, RootGateway } from './gateways.js';
import { UnreadTeller } from './unread-teller.js';

/** Tells connected clients what happened: each who may know it, once. */
@Injectable()
export class Announcer implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly unsubscribe: (() => void)[] = [];

  constructor(
    private readonly events: AppEvents,
    private readonly root: RootGateway,
    private readonly notifications: NotificationsGateway,
    private readonly messages: MessagesGateway,
    private readonly unread: UnreadTeller,
  ) {}

  onApplicationBootstrap(): void {
    const { events } = this;
    this.unsubscribe.push(
      events.on('detection.stored', (detection) => {
        this.root.broadcast?.emit(watchersOf(detection.streamId), 'detection', detection);
      }),
      events.on('transcript.stored', (transcript) => {
        this.root.broadcast?.emit(watchersOf(transcript.streamId), 'transcript', transcript);
      }),
      events.on('stream.status', (status) => {
        this.root.broadcast?.emit(watchersOf(status.streamId), 'stream_status', status);
      }),
      events.on('stream.changed', (update) => {
        this.root.broadcast?.emit(watchersOf(update.streamId), 'stream_update', update);
      }),
      events.on('assignment.changed', (update) => {
        const rooms = [ROOMS.role('admin'), ROOMS.user(update.agentId)];
        this.root.broadcast?.emit(rooms, 'assignment_update', update);
      }),
      // Every api process sees monitors come and go by itself, so each tells its own clients alone.
      events.on('monitor.changed', (monitor) => {
        this.root.namespace?.local.to(ROOMS.role('admin')).emit('monitor_status', monitor);
      }),
      events.on('canary.observed', (event) => this.root.namespace?.to(ROOMS.role('admin')).emit('canary', event)),
      events.on('notification.created', ({ userId, notification }) => {
        this.notifications.broadcast?.emit([ROOMS.user(userId)], 'notification', notification);
        this.unread.notificationsChanged(userId);
      }),
      events.on('notification.updated', ({ userId, update }) => {
        this.notifications.broadcast?.emit([ROOMS.user(userId)], 'notification_update', update);
        this.unread.notificationsChanged(userId);
      }),
      // Also to the sender, whose other devices show it as well.
      events.on('message.sent', (message) => {
        this.messages.broadcast?.emit(both(message.senderId, message.recipientId), 'message', message);
        this.unread.messagesChanged(message.recipientId);
      }),
      events.on('message.read', (read) => {
        this.messages.broadcast?.emit(both(read.senderId, read.readerId), 'message_read', read);
        this.unread.messagesChanged(read.readerId);
      }),
      events.on('conversation.put_away', ({ userId }) => {
        this.unread.messagesChanged(userId);
      }),
    );
  }

  onModuleDestroy(): void {
    for (const off of this.unsubscribe) off();
  }
}

/** Admins and whoever looks after the stream; a client in both rooms still gets one copy. */
function watchersOf(streamId: string): string[] {
  return [ROOMS.role('admin'), ROOMS.stream(streamId)];
}

function both(one: string, other: string): string[] {
  return [ROOMS.user(one), ROOMS.user(other)];
}
