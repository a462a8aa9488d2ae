import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { Logger } from '#libs/observability/logger.js';
import { NestLogger } from '#libs/observability/nest-logger.js';
import { AppModule } from './app.module.js';
import { Certificate } from './http/certificate.js';
import { configureHttp } from './http/configure.js';
import { ServerAdapter } from './http/server.adapter.js';
import { RealtimeAdapter } from './realtime/realtime.adapter.js';
import type { ApiSettings } from './runtime.module.js';

/**
 * Builds the whole application, not listening yet.
 * @param options.preview nothing is instantiated, no database or Redis is needed: enough to describe the routes.
 * @throws AppError when Postgres cannot be reached.
 */
export async function createApp(
  settings: ApiSettings,
  logger: Logger,
  options: { preview?: boolean } = {},
): Promise<NestExpressApplication> {
  const certificate = options.preview === true ? null : await Certificate.of(settings, logger);
  const app = await NestFactory.create<NestExpressApplication>(AppModule.with(settings, logger), new ServerAdapter(), {
    logger: new NestLogger(logger),
    abortOnError: false,
    bodyParser: false,
    forceCloseConnections: true,
    preview: options.preview ?? false,
    ...(certificate === null ? {} : { httpsOptions: certificate.content }),
  });
  certificate?.keepFresh(app.getHttpServer());
  configureHttp(app, settings, options.preview);
  if (options.preview !== true) app.useWebSocketAdapter(new RealtimeAdapter(app, settings, logger));
  return app;
}
