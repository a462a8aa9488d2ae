import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';

/** What a stand-in can be told, whatever protocol it speaks. */
export interface ChatStand {
  /** `host:port` pairs, as `EGRESS_ALLOW` wants them. */
  readonly hosts: readonly string[];
  /** Connections (or first requests) ever seen. */
  readonly accepted: number;
  /** Somebody writes in the room. The same id again is the same message again. */
  say(message: { id: string; user: string; text: string }): void;
  /** Sends what no client of the protocol can understand. */
  babble(): void;
  /** Breaks the present connection off. */
  sever(): void;
  /** Goes silent without a word, as a host that lost its power: nothing is answered, nothing is closed. */
  freeze(): void;
  stop(): Promise<void>;
}

/** A WebSocket server on loopback for tests. What it says is up to the protocol on top of it. */
export class ChatSocketServer {
  /** Connections ever made. */
  accepted = 0;
  /** Text frames that came in, oldest first; at most ten thousand. */
  readonly heard: string[] = [];
  onOpen: (socket: WebSocket, request: IncomingMessage) => void = () => undefined;
  /** Plain requests of HTTP. */
  onRequest: (request: IncomingMessage, response: ServerResponse) => void = (_request, response) =>
    void response.writeHead(426).end();
  onText: (text: string, socket: WebSocket) => void = () => undefined;
  private readonly sockets: WebSocketServer;
  private readonly frozen = new WeakSet<WebSocket>();

  private constructor(
    private readonly server: Server,
    readonly port: number,
  ) {
    this.sockets = new WebSocketServer({ server, perMessageDeflate: false });
    this.sockets.on('headers', (headers) => headers.push('Server: loopback stand-in for tests'));
    server.on('request', (request, response) => this.onRequest(request, response));
    this.sockets.on('connection', (socket, request) => {
      this.accepted += 1;
      socket.on('error', () => undefined);
      socket.on('message', (data: Buffer) => {
        if (this.frozen.has(socket)) return;
        if (this.heard.length < 10_000) this.heard.push(data.toString());
        this.onText(data.toString(), socket);
      });
      this.onOpen(socket, request);
    });
  }

  /** @param tls certificate and key (PEM) for `wss:` */
  static async start(tls?: { cert: string; key: string }): Promise<ChatSocketServer> {
    const server = tls === undefined ? createServer() : createTlsServer(tls);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new ChatSocketServer(server, (server.address() as AddressInfo).port);
  }

  get host(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Connections that are open now. */
  get open(): readonly WebSocket[] {
    return [...this.sockets.clients].filter(({ readyState }) => readyState === 1);
  }

  /** Sends a text frame to everybody who is not frozen. */
  broadcast(text: string): void {
    for (const socket of this.open) if (!this.frozen.has(socket)) socket.send(text);
  }

  /** Half-opens every connection of now: it neither reads nor writes nor closes any more. */
  freeze(): void {
    for (const socket of this.open) {
      this.frozen.add(socket);
      socket.pause();
    }
  }

  /** Breaks every connection off without a closing frame. */
  sever(): void {
    for (const socket of this.sockets.clients) socket.terminate();
  }

  async stop(): Promise<void> {
    this.sever();
    this.sockets.close();
    this.server.closeAllConnections();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }
}
