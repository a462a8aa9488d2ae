import type { Namespace, Socket } from 'socket.io';
import type { MessageClientEvents, MessageEvents, NotificationEvents, RootEvents } from '#libs/contracts/sockets.js';
import type { AuthenticatedUser } from '../auth/authenticated-user.js';

/** Clients have nothing to say. */
type NoEvents = Record<string, never>;

/** What api processes tell each other about their clients. */
interface ProcessEvents {
  /** Sign-ins, role or assignments of this user changed: look again at its sockets. */
  recheck: (userId: string) => void;
}

/** What is known of a connected client. */
interface ClientData {
  user: AuthenticatedUser;
  sessionId: string;
  expiresAt: Date;
  /** Streams of the user when it connected. */
  streamIds: ReadonlySet<string>;
}

export type RootNamespace = Namespace<NoEvents, RootEvents, ProcessEvents, ClientData>;
export type NotificationsNamespace = Namespace<NoEvents, NotificationEvents, ProcessEvents, ClientData>;
export type MessagesNamespace = Namespace<MessageClientEvents, MessageEvents, ProcessEvents, ClientData>;
export type AnyNamespace = RootNamespace | NotificationsNamespace | MessagesNamespace;
export type ClientSocket = Socket<NoEvents, RootEvents & NotificationEvents, ProcessEvents, ClientData>;
export type MessagesSocket = Socket<MessageClientEvents, MessageEvents, ProcessEvents, ClientData>;

/** What all namespaces have in common, in terms that the compiler can follow. */
export interface GuardedNamespace {
  use(middleware: (socket: ClientSocket, next: (error?: Error) => void) => void): void;
  on(event: 'connection', listener: (socket: ClientSocket) => void): void;
  on(event: 'recheck', listener: (userId: unknown) => void): void;
}
