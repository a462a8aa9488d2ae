import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ChatStand } from './chat-socket-server.js';

/**
 * Speaks Chaturbate's Events API on loopback, for tests: a long poll with `nextUrl`. It says in a header that it is a
 * stand-in.
 */
export class ChatEventsServer implements ChatStand {
  /** The token that is taken. */
  static readonly token = 'stand-in-token';
  accepted = 0;
  /** Urls that were asked for, without their origin; the newest last. */
  readonly asked: string[] = [];
  /** When set, answers the next requests instead; it is asked once each. */
  instead: ((response: ServerResponse) => void)[] = [];
  /** When set, what `nextUrl` is instead. */
  nextUrl: string | null = null;
  private readonly events: { method: string; id: string; object: unknown }[] = [];
  private readonly held = new Map<ServerResponse, () => void>();

  private constructor(
    private readonly server: Server,
    readonly host: string,
  ) {
    server.on('request', (request, response) => this.answer(request, response));
  }

  static async start(): Promise<ChatEventsServer> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new ChatEventsServer(server, `127.0.0.1:${(server.address() as AddressInfo).port}`);
  }

  get url(): string {
    return `http://${this.host}/`;
  }

  get hosts(): readonly string[] {
    return [this.host];
  }

  say({ id, user, text }: { id: string; user: string; text: string }): void {
    const message = { color: '#000000', bgColor: null, message: text, font: 'default' };
    this.event('chatMessage', id, {
      message,
      broadcaster: 'room',
      user: { username: user, inFanclub: false, gender: 'm', hasTokens: true, recentTips: 'none', isMod: false },
    });
  }

  /** Something happens in the room. */
  event(method: string, id: string, object: unknown): void {
    this.events.push({ method, id, object });
    for (const release of [...this.held.values()]) release();
  }

  babble(): void {
    this.event('chatMessage', `bad-${this.events.length}`, { message: 5 });
  }

  sever(): void {
    if (this.held.size === 0) this.instead.push((response) => response.destroy());
    for (const response of this.held.keys()) response.destroy();
  }

  /** The request of now is never answered; the next ones are. */
  freeze(): void {
    this.held.clear();
  }

  /** Whether a request is held. */
  get waiting(): boolean {
    return this.held.size > 0;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    this.accepted += 1;
    response.on('error', () => undefined);
    const url = new URL(request.url ?? '/', this.url);
    this.asked.push(`${url.pathname}${url.search}`);
    response.setHeader('server', 'loopback stand-in for tests');
    const instead = this.instead.shift();
    if (instead !== undefined) {
      instead(response);
      return;
    }
    const [, root, , token] = url.pathname.split('/');
    if (root !== 'events' || token !== ChatEventsServer.token) {
      response.writeHead(401).end('{"status":"Authentication failed"}');
      return;
    }
    const from = Number(url.searchParams.get('i') ?? this.events.length);
    const release = (): void => {
      clearTimeout(timer);
      this.held.delete(response);
      const nextUrl = this.nextUrl ?? `${url.origin}${url.pathname}?i=${this.events.length}&timeout=10`;
      response
        .setHeader('content-type', 'application/json')
        .end(JSON.stringify({ events: this.events.slice(from), nextUrl }));
    };
    const timer = setTimeout(release, Number(url.searchParams.get('timeout') ?? 10) * 1_000);
    response.once('close', () => {
      clearTimeout(timer);
      this.held.delete(response);
    });
    if (this.events.length > from) release();
    else this.held.set(response, release);
  }
}
