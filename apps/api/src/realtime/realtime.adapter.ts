import type { IncomingHttpHeaders, IncomingMessage, Server as HttpServer } from 'node:http';
import type { INestApplicationContext } from '@nestjs/common';
import { IoAdapter } from '@nestjs/platform-socket.io';
import { createAdapter } from '@socket.io/redis-adapter';
import { Server } from 'socket.io';
import { connectRedis, type RedisConnection } from '#libs/bus/redis.js';
import type { Logger } from '#libs/observability/logger.js';
import { corsOptions } from '../http/configure.js';
import { SocketCounters } from './socket-counters.js';
import type { ApiSettings } from '../runtime.module.js';

/** The same class out of the copy of Socket.IO that Nest's adapter brings. */
type NestServer = ReturnType<IoAdapter['createIOServer']>;

/** A packet of a client at most, in bytes; clients have nothing to send but their token. */
const MOST_BYTES = 65_536;

/** Makes the Socket.IO server: same origins as HTTP, small packets, one room space over all api processes. */
export class RealtimeAdapter extends IoAdapter {
  private readonly connections: RedisConnection[] = [];

  constructor(
    private readonly application: INestApplicationContext,
    private readonly settings: ApiSettings,
    private readonly log: Logger,
  ) {
    super(application);
  }

  override createIOServer(port: number): NestServer {
    const counters = this.application.get(SocketCounters, { strict: false });
    const allowed = corsOptions(this.settings).origin;
    const options = {
      // The library's CORS headers keep a page from reading answers, not from opening a web socket.
      allowRequest: (request: IncomingMessage, decide: (fault: string | null, allowed: boolean) => void) => {
        const admitted = isOriginAllowed(request.headers, allowed);
        if (!admitted) counters.add('origin_refused');
        decide(admitted ? null : 'This origin is not in CORS_ORIGINS.', admitted);
      },
      cors: corsOptions(this.settings),
      maxHttpBufferSize: MOST_BYTES,
      connectTimeout: 10_000,
      serveClient: false,
    };
    const server = port === 0 ? new Server(this.httpServer as HttpServer, options) : new Server(port, options);
    const publisher = connectRedis(this.settings.REDIS_URL, 'sockets-pub', this.log, { failFast: true });
    const subscriber = connectRedis(this.settings.REDIS_URL, 'sockets-sub', this.log);
    this.connections.push(publisher, subscriber);
    const publish = publisher.publish.bind(publisher);
    // The adapter lets rejections go. While Redis is away, this process still tells its own clients.
    publisher.publish = (channel: string | Buffer, message: string | Buffer) =>
      publish(channel, message).catch(() => 0);
    server.adapter(createAdapter(publisher, subscriber));
    return server as unknown as NestServer;
  }

  override async dispose(): Promise<void> {
    await super.dispose();
    for (const connection of this.connections.splice(0)) connection.disconnect();
  }
}

/**
 * Whether a handshake may go on: from no browser (no `Origin`), from a page of this very server, or from an allowed
 * origin. `null`, which sandboxed pages and files send, is no allowed origin.
 */
export function isOriginAllowed({ origin, host }: IncomingHttpHeaders, allowed: readonly string[]): boolean {
  if (origin === undefined || allowed.includes(origin)) return true;
  return URL.canParse(origin) && host !== undefined && new URL(origin).host === host.toLowerCase();
}
