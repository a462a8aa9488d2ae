import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ChatStand } from './chat-socket-server.js';

/** Speaks what is needed of the YouTube Data API v3 on loopback, for tests. It says in a header that it is a stand-in. */
export class ChatYoutubeServer implements ChatStand {
  /** The key that is taken. */
  static readonly key = 'stand-in-key';
  accepted = 0;
  /** Paths and queries that were asked for, the newest last. */
  readonly asked: URL[] = [];
  /** Whether the video has a chat. */
  hasChat = true;
  /** What every page says to wait, ms. */
  pollingIntervalMillis = 1;
  /** When set, the chat is over. */
  offlineAt: string | null = null;
  /** Answers the next requests for messages instead, one each. */
  readonly instead: ((response: ServerResponse) => void)[] = [];
  private readonly items: unknown[] = [];

  private constructor(
    private readonly server: Server,
    readonly host: string,
  ) {
    server.on('request', (request, response) => this.answer(request, response));
  }

  static async start(): Promise<ChatYoutubeServer> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new ChatYoutubeServer(server, `127.0.0.1:${(server.address() as AddressInfo).port}`);
  }

  get url(): string {
    return `http://${this.host}/`;
  }

  get hosts(): readonly string[] {
    return [this.host];
  }

  say({ id, user, text }: { id: string; user: string; text: string }): void {
    this.item({
      id,
      snippet: {
        ...{ type: 'textMessageEvent', liveChatId: 'chat', authorChannelId: `UC${user}`, hasDisplayContent: true },
        ...{ publishedAt: '2024-01-05T10:00:00.000Z', displayMessage: text, textMessageDetails: { messageText: text } },
      },
      authorDetails: { channelId: `UC${user}`, displayName: user, isVerified: false, isChatOwner: false },
    });
  }

  /** Something appears in the chat. */
  item(item: unknown): void {
    this.items.push(item);
  }

  babble(): void {
    this.item({ kind: 'youtube#liveChatMessage', snippet: 5 });
  }

  sever(): void {
    this.instead.push((response) => response.destroy());
  }

  /** The next request is never answered; those after it are. */
  freeze(): void {
    this.instead.push(() => undefined);
  }

  /** Answers the next request for messages with an error as the API words it. */
  fail(status: number, reason: string): void {
    this.instead.push((response) => this.error(response, status, reason));
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    this.accepted += 1;
    response.on('error', () => undefined);
    response.setHeader('server', 'loopback stand-in for tests');
    response.setHeader('content-type', 'application/json');
    const url = new URL(request.url ?? '/', this.url);
    this.asked.push(url);
    const { searchParams } = url;
    if (searchParams.get('key') !== ChatYoutubeServer.key) this.error(response, 400, 'keyInvalid');
    else if (url.pathname === '/youtube/v3/videos') {
      const details = this.hasChat ? { activeLiveChatId: 'chat' } : {};
      response.end(JSON.stringify({ items: [{ id: searchParams.get('id'), liveStreamingDetails: details }] }));
    } else if (url.pathname === '/youtube/v3/liveChat/messages') {
      const instead = this.instead.shift();
      if (instead !== undefined) instead(response);
      else this.page(Number(searchParams.get('pageToken') ?? 0), response);
    } else this.error(response, 404, 'notFound');
  }

  private page(from: number, response: ServerResponse): void {
    response.end(
      JSON.stringify({
        kind: 'youtube#liveChatMessageListResponse',
        nextPageToken: String(this.items.length),
        pollingIntervalMillis: this.pollingIntervalMillis,
        items: this.items.slice(from),
        ...(this.offlineAt === null ? {} : { offlineAt: this.offlineAt }),
      }),
    );
  }

  private error(response: ServerResponse, status: number, reason: string): void {
    response.writeHead(status).end(JSON.stringify({ error: { code: status, errors: [{ reason }], message: reason } }));
  }
}
