import type { WebSocket } from 'ws';
import { ChatSocketServer, type ChatStand } from './chat-socket-server.js';

/**
 * Speaks Pusher's protocol 7 with the events of a Kick chat room, on loopback, for tests. Its socket id says that it
 * is a stand-in.
 */
export class ChatPusherServer implements ChatStand {
  private readonly rooms = new Map<WebSocket, string>();

  private constructor(readonly server: ChatSocketServer) {
    server.onOpen = (socket) =>
      socket.send(
        JSON.stringify({
          event: 'pusher:connection_established',
          data: JSON.stringify({ socket_id: 'loopback-stand-in-for-tests', activity_timeout: 120 }),
        }),
      );
    server.onText = (text, socket) => {
      const { event, data } = JSON.parse(text) as { event: string; data: { channel?: string } };
      if (event === 'pusher:ping') socket.send('{"event":"pusher:pong","data":"{}"}');
      if (event !== 'pusher:subscribe') return;
      const channel = data.channel ?? '';
      this.rooms.set(socket, channel);
      socket.send(JSON.stringify({ event: 'pusher_internal:subscription_succeeded', data: '{}', channel }));
    };
  }

  static async start(): Promise<ChatPusherServer> {
    return new ChatPusherServer(await ChatSocketServer.start());
  }

  get url(): string {
    return `ws://${this.server.host}/app/stand-in?protocol=7&client=js&version=8.4.0&flash=false`;
  }

  get hosts(): readonly string[] {
    return [this.server.host];
  }

  get accepted(): number {
    return this.server.accepted;
  }

  say({ id, user, text }: { id: string; user: string; text: string }): void {
    this.event('ChatMessageEvent', {
      ...{ id, chatroom_id: 1, content: text, type: 'message', created_at: '2024-01-05T10:00:00+00:00' },
      sender: { id: 7, username: user, slug: user, identity: { color: '#fff', badges: [] } },
    });
  }

  /** Sends an event to everybody, its data encoded twice as the real server does. */
  event(name: string, data: unknown): void {
    for (const socket of this.server.open) {
      const channel = this.rooms.get(socket);
      if (channel === undefined) continue;
      socket.send(JSON.stringify({ event: `App\\Events\\${name}`, data: JSON.stringify(data), channel }));
    }
  }

  /** Says an error and closes every connection with its code. */
  close(code: number): void {
    this.server.broadcast(JSON.stringify({ event: 'pusher:error', data: { code, message: 'said for a test' } }));
    for (const socket of this.server.open) socket.close(code);
  }

  babble(): void {
    this.server.broadcast('{"event":');
  }

  sever(): void {
    this.server.sever();
  }

  freeze(): void {
    this.server.freeze();
  }

  stop(): Promise<void> {
    return this.server.stop();
  }
}
