import { WebSocketGateway, type OnGatewayInit } from '@nestjs/websockets';
import { NAMESPACES } from '#libs/contracts/names.js';
import { SocketSessions } from './socket-sessions.js';
import type { NotificationsNamespace, RootNamespace } from './socket-types.js';

/** Namespace `/`: detections, streams, assignments, monitors. */
@WebSocketGateway({ namespace: NAMESPACES.root })
export class RootGateway implements OnGatewayInit<RootNamespace> {
  /** Null until the server listens. */
  namespace: RootNamespace | null = null;

  constructor(private readonly sessions: SocketSessions) {}

  afterInit(namespace: RootNamespace): void {
    this.namespace = namespace;
    this.sessions.guard(namespace);
  }
}

/** Namespace `/notifications`: what one user is told. */
@WebSocketGateway({ namespace: NAMESPACES.notifications })
export class NotificationsGateway implements OnGatewayInit<NotificationsNamespace> {
  /** Null until the server listens. */
  namespace: NotificationsNamespace | null = null;

  constructor(private readonly sessions: SocketSessions) {}

  afterInit(namespace: NotificationsNamespace): void {
    this.namespace = namespace;
    this.sessions.guard(namespace);
  }
}
