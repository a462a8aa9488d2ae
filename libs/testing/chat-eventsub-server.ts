import type { IncomingMessage, ServerResponse } from 'node:http';
import type { WebSocket } from 'ws';
import { ChatSocketServer, type ChatStand } from './chat-socket-server.js';

/** A subscription as it was asked for. */
export interface AskedSubscription {
  type: string;
  version: string;
  condition: Readonly<Record<string, string>>;
  transport: { method: string; session_id: string };
}

/**
 * Speaks Twitch's EventSub over a WebSocket, and what of the Helix API belongs to it, on one loopback port, for tests:
 * welcome, subscriptions, keepalive, reconnect, revocation. Its sessions are named after what it is.
 */
export class ChatEventSubServer implements ChatStand {
  static readonly token = 'stand-in-token';
  static readonly clientId = 'standin';
  static readonly userId = '900';
  /** Logins that there are, with their ids. */
  readonly users = new Map([['room', '100']]);
  readonly subscriptions: AskedSubscription[] = [];
  /** Queries of the sockets that were opened, the newest last. */
  readonly opened: URL[] = [];
  /** HTTP requests ever seen. */
  requests = 0;
  /** Answers the next subscription instead. */
  readonly instead: { status: number; message: string }[] = [];
  /** When set, nobody is welcomed. */
  deaf = false;
  private readonly sessions = new Map<WebSocket, string>();
  private subscribed = new Set<string>();
  private count = 0;

  private constructor(readonly server: ChatSocketServer) {
    server.onOpen = (socket, request) => this.greet(socket, request);
    server.onRequest = (request, response) => void this.answer(request, response);
  }

  static async start(): Promise<ChatEventSubServer> {
    return new ChatEventSubServer(await ChatSocketServer.start());
  }

  get url(): string {
    return `ws://${this.server.host}/ws`;
  }

  get apiUrl(): string {
    return `http://${this.server.host}/`;
  }

  get hosts(): readonly string[] {
    return [this.server.host];
  }

  get accepted(): number {
    return this.server.accepted + this.requests;
  }

  say({ id, user, text }: { id: string; user: string; text: string }): void {
    this.event('channel.chat.message', {
      ...{ broadcaster_user_id: '100', chatter_user_id: `u-${user}`, chatter_user_login: user, message_id: id },
      message: { text, fragments: [{ type: 'text', text, cheermote: null, emote: null, mention: null }] },
      ...{ message_type: 'text', badges: [], cheer: null },
    });
  }

  /** Something happens in the room. */
  event(type: string, event: unknown, messageId = `n-${this.count}`): void {
    for (const socket of this.server.open) {
      if (!this.subscribed.has(this.sessions.get(socket) ?? '')) continue;
      socket.send(this.frame('notification', { subscription: { type, status: 'enabled' }, event }, messageId));
    }
  }

  keepalive(): void {
    this.server.broadcast(this.frame('session_keepalive', {}));
  }

  revoke(type: string, status: string): void {
    this.server.broadcast(this.frame('revocation', { subscription: { type, status } }));
  }

  /** Asks everybody to move, each with its session. @param url where to, when not here */
  move(url?: string): void {
    for (const socket of this.server.open) {
      const id = this.sessions.get(socket) ?? '';
      const session = { id, status: 'reconnecting', reconnect_url: url ?? `${this.url}?session=${id}` };
      socket.send(this.frame('session_reconnect', { session }));
    }
  }

  babble(): void {
    this.server.broadcast('{"metadata":{"message_id":"x"},"payload":5}');
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

  private greet(socket: WebSocket, request: IncomingMessage): void {
    const url = new URL(request.url ?? '/', this.apiUrl);
    this.opened.push(url);
    if (this.deaf) return;
    this.count += 1;
    const id = url.searchParams.get('session') ?? `loopback-stand-in-for-tests-${this.count}`;
    this.sessions.set(socket, id);
    const seconds = Number(url.searchParams.get('keepalive_timeout_seconds') ?? 10);
    const session = { id, status: 'connected', keepalive_timeout_seconds: seconds, reconnect_url: null };
    socket.send(this.frame('session_welcome', { session }));
  }

  private frame(type: string, payload: object, messageId = `n-${this.count}`): string {
    this.count += 1;
    const metadata = { message_id: messageId, message_type: type, message_timestamp: '2024-01-05T10:00:00.123456789Z' };
    return JSON.stringify({ metadata, payload });
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.requests += 1;
    const pieces: Buffer[] = [];
    for await (const piece of request as AsyncIterable<Buffer>) pieces.push(piece);
    const url = new URL(request.url ?? '/', this.apiUrl);
    const tell = (status: number, body: unknown): void => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
    const { authorization, 'client-id': clientId } = request.headers;
    if (authorization !== `Bearer ${ChatEventSubServer.token}` || clientId !== ChatEventSubServer.clientId) {
      tell(401, { error: 'Unauthorized', status: 401, message: 'Invalid OAuth token' });
    } else if (url.pathname === '/helix/users') {
      const id = this.users.get(url.searchParams.get('login') ?? '');
      tell(200, { data: id === undefined ? [] : [{ id }] });
    } else if (url.pathname === '/helix/eventsub/subscriptions' && request.method === 'POST') {
      const instead = this.instead.shift();
      if (instead !== undefined) {
        tell(instead.status, instead);
        return;
      }
      const asked = JSON.parse(Buffer.concat(pieces).toString()) as AskedSubscription;
      this.subscriptions.push(asked);
      this.subscribed.add(asked.transport.session_id);
      tell(202, { data: [{ id: 's', status: 'enabled', type: asked.type }], total: 1 });
    } else tell(404, { message: 'not found' });
  }
}
