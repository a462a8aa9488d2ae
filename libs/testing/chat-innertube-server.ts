import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ChatStand } from './chat-socket-server.js';

/** Answers as YouTube's site does about the chat of a video, on loopback, for tests. A header says what it is. */
export class ChatInnertubeServer implements ChatStand {
  accepted = 0;
  /** Continuations that were asked for, the newest last. */
  readonly asked: string[] = [];
  /** What the video has: a chat, one of the past, or none. */
  chat: 'live' | 'replay' | 'none' = 'live';
  /** When set, the chat is over. */
  ended = false;
  /** What every page says to wait, ms. */
  timeoutMs = 1;
  /** Answers the next pages instead, one each. */
  readonly instead: ((response: ServerResponse) => void)[] = [];
  private readonly actions: unknown[] = [];

  private constructor(
    private readonly server: Server,
    readonly host: string,
  ) {
    server.on('request', (request, response) => void this.answer(request, response));
  }

  static async start(): Promise<ChatInnertubeServer> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new ChatInnertubeServer(server, `127.0.0.1:${(server.address() as AddressInfo).port}`);
  }

  get url(): string {
    return `http://${this.host}/`;
  }

  get hosts(): readonly string[] {
    return [this.host];
  }

  say({ id, user, text }: { id: string; user: string; text: string }): void {
    this.add('liveChatTextMessageRenderer', {
      ...{ id, message: { runs: [{ text }] }, authorName: { simpleText: user } },
      ...{ authorExternalChannelId: `UC${user}`, timestampUsec: '1704448800000000', contextMenuEndpoint: {} },
    });
  }

  /** Something appears in the chat. */
  add(renderer: string, item: unknown): void {
    this.act({ clickTrackingParams: 'x', addChatItemAction: { item: { [renderer]: item }, clientId: 'x' } });
  }

  act(action: unknown): void {
    this.actions.push(action);
  }

  babble(): void {
    this.add('liveChatTextMessageRenderer', { id: 5 });
  }

  sever(): void {
    this.instead.push((response) => response.destroy());
  }

  /** The next page is never answered; those after it are. */
  freeze(): void {
    this.instead.push(() => undefined);
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.accepted += 1;
    response.on('error', () => undefined);
    response.setHeader('server', 'loopback stand-in for tests');
    response.setHeader('content-type', 'application/json');
    const pieces: Buffer[] = [];
    for await (const piece of request as AsyncIterable<Buffer>) pieces.push(piece);
    const { pathname } = new URL(request.url ?? '/', this.url);
    const { continuation = '', context } = JSON.parse(Buffer.concat(pieces).toString() || '{}') as {
      continuation?: string;
      context?: { client?: { clientName?: string } };
    };
    if (request.method !== 'POST' || context?.client?.clientName !== 'WEB') response.writeHead(400).end('{}');
    else if (pathname === '/youtubei/v1/next') response.end(JSON.stringify(this.video()));
    else if (pathname === '/youtubei/v1/live_chat/get_live_chat') {
      this.asked.push(continuation);
      const instead = this.instead.shift();
      if (instead !== undefined) instead(response);
      else if (!continuation.startsWith('stand-in-')) response.writeHead(400).end('{}');
      else response.end(JSON.stringify(this.page(Number(continuation.slice(9)))));
    } else response.writeHead(404).end('{}');
  }

  private video(): unknown {
    const liveChatRenderer = {
      continuations: [{ reloadContinuationData: { continuation: 'stand-in-0', clickTrackingParams: 'x' } }],
      ...(this.chat === 'replay' ? { isReplay: true } : {}),
    };
    return {
      contents: {
        twoColumnWatchNextResults: {
          results: { results: { contents: [] } },
          ...(this.chat === 'none' ? {} : { conversationBar: { liveChatRenderer } }),
        },
      },
    };
  }

  private page(from: number): unknown {
    if (this.ended) return { responseContext: {} };
    const continuation = `stand-in-${this.actions.length}`;
    const data = { invalidationId: {}, timeoutMs: this.timeoutMs, continuation };
    return {
      continuationContents: {
        liveChatContinuation: {
          continuations: [{ invalidationContinuationData: data }],
          ...(from < this.actions.length ? { actions: this.actions.slice(from) } : {}),
        },
      },
    };
  }
}
