import type { Server as HttpServer } from 'node:http';
import type { INestApplicationContext } from '@nestjs/common';
import { IoAdapter } from '@nestjs/platform-socket.io';
import { createAdapter } from '@socket.io/redis-adapter';
import { Server } from 'socket.io';
import { connectRedis, type RedisConnection } from '#libs/bus/redis.js';
import type { Logger } from '#libs/observability/logger.js';
import { corsOptions } from '../http/configure.js';
import type { ApiSettings } from '../runtime.module.js';

/** The same class out of the copy of Socket.IO that Nest's adapter brings. */
type NestServer = ReturnType<IoAdapter['createIOServer']>;

/** A packet of a client at most, in bytes; clients have nothing to send but their token. */
const MOST_BYTES = 65_536;

/** Makes the Socket.IO server: same origins as HTTP, small packets, one room space over all api processes. */
export class RealtimeAdapter extends IoAdapter {
  private readonly connections: RedisConnection[] = [];

  constructor(
    app: INestApplicationContext,
    private readonly settings: ApiSettings,
    private readonly log: Logger,
  ) {
    super(app);
  }

  override createIOServer(port: number): NestServer {
    const options = {
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
