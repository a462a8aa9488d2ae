import { WebSocketGateway, type OnGatewayInit } from '@nestjs/websockets';
import { NAMESPACES } from '#libs/contracts/names.js';
import { MESSAGE_EVENTS, NOTIFICATION_EVENTS, ROOT_EVENTS } from '#libs/contracts/sockets.js';
import { Broadcast } from './broadcast.js';
import { MessageInbox } from './message-inbox.js';
import { SocketSessions } from './socket-sessions.js';
import type { MessagesNamespace, NotificationsNamespace, RootNamespace } from './socket-types.js';

/** Namespace `/`: detections, streams, assignments, monitors. */
@WebSocketGateway({ namespace: NAMESPACES.root })
export class RootGateway implements OnGatewayInit<RootNamespace> {
  /** Null until the server listens. */
  namespace: RootNamespace | null = null;
  /** What the clients of every api process are told; null until the server listens. */
  broadcast: Broadcast<typeof ROOT_EVENTS> | null = null;

  constructor(private readonly sessions: SocketSessions) {}

  afterInit(namespace: RootNamespace): void {
    this.namespace = namespace;
    this.broadcast = new Broadcast(namespace, ROOT_EVENTS);
    this.sessions.guard(namespace);
  }
}

/** Namespace `/notifications`: what one user is told. */
@WebSocketGateway({ namespace: NAMESPACES.notifications })
export class NotificationsGateway implements OnGatewayInit<NotificationsNamespace> {
  /** Null until the server listens. */
  namespace: NotificationsNamespace | null = null;
  /** What the clients of every api process are told; null until the server listens. */
  broadcast: Broadcast<typeof NOTIFICATION_EVENTS> | null = null;

  constructor(private readonly sessions: SocketSessions) {}

  afterInit(namespace: NotificationsNamespace): void {
    this.namespace = namespace;
    this.broadcast = new Broadcast(namespace, NOTIFICATION_EVENTS);
    this.sessions.guard(namespace);
  }
}

/** Namespace `/messages`: what two users write to each other. */
@WebSocketGateway({ namespace: NAMESPACES.messages })
export class MessagesGateway implements OnGatewayInit<MessagesNamespace> {
  /** Null until the server listens. */
  namespace: MessagesNamespace | null = null;
  /** What the clients of every api process are told; null until the server listens. */
  broadcast: Broadcast<typeof MESSAGE_EVENTS> | null = null;

  constructor(
    private readonly sessions: SocketSessions,
    private readonly inbox: MessageInbox,
  ) {}

  afterInit(namespace: MessagesNamespace): void {
    this.namespace = namespace;
    this.broadcast = new Broadcast(namespace, MESSAGE_EVENTS);
    this.sessions.guard(namespace);
    namespace.on('connection', (socket) => {
      this.inbox.attend(namespace, socket);
    });
  }
}
