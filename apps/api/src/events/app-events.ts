import { EventEmitter } from 'node:events';
import { Injectable } from '@nestjs/common';
import type {
  AssignmentUpdateEvent,
  CanaryEvent,
  DetectionView,
  MessageReadEvent,
  MessageView,
  MonitorStatusEvent,
  NotificationUpdateEvent,
  NotificationView,
  StreamStatusEvent,
  StreamUpdateEvent,
  TranscriptView,
} from '#libs/contracts/sockets.js';

/** What rooms of the api tell each other, always after the commit. */
interface AppEventMap {
  'detection.stored': DetectionView;
  'transcript.stored': TranscriptView;
  'notification.created': { userId: string; notification: NotificationView };
  'notification.updated': { userId: string; update: NotificationUpdateEvent };
  'message.sent': MessageView;
  'message.read': MessageReadEvent;
  /** A user deleted its side of a conversation. */
  'conversation.put_away': { userId: string };
  'stream.status': StreamStatusEvent;
  'stream.changed': StreamUpdateEvent;
  'assignment.changed': AssignmentUpdateEvent;
  'monitor.changed': MonitorStatusEvent;
  'canary.observed': CanaryEvent;
  /** The first socket of a user opened in this process, or the last one closed. */
  'presence.changed': Record<string, never>;
  /** The rules changed: the board for the monitors must be written anew. */
  'rules.changed': Record<string, never>;
  /** Sessions of this user are void (logout, disabled, password or role changed): open sockets must close. */
  'user.revoked': { userId: string };
}

/** The typed in-process event bus. Listeners must not throw; what they throw is theirs to log. */
@Injectable()
export class AppEvents {
  private readonly emitter = new EventEmitter().setMaxListeners(50);

  emit<Name extends keyof AppEventMap>(name: Name, payload: AppEventMap[Name]): void {
    this.emitter.emit(name, payload);
  }

  /** @returns a function that takes the listener away again. */
  on<Name extends keyof AppEventMap>(name: Name, listener: (payload: AppEventMap[Name]) => void): () => void {
    this.emitter.on(name, listener);
    return () => this.emitter.off(name, listener);
  }
}
