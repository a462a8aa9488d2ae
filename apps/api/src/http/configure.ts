import { RequestMethod } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { raw } from 'express';
import helmet from 'helmet';
import { list } from '#libs/config/settings.js';
import { AdminPages } from '../auth/admin-pages.js';
import { CSRF_HEADER } from '../auth/browser/cookies.js';
import { serveQueueBoard } from '../bus/serve-queue-board.js';
import { Metrics } from '#libs/observability/metrics.js';
import { httpMetrics } from '../metrics/http-metrics.js';
import { serveEvents } from '../realtime/serve-events.js';
import type { ApiSettings } from '../runtime.module.js';
import { DOCUMENTATION_PATHS, serveOpenApi } from './openapi.js';
import { httpsOnly } from './https-redirect.js';
import { plainText, plainUrl } from './plain-text.js';
import { requestContext } from './request-context.js';
import { requestId } from './request-id.js';
import { validationPipe } from './validation.js';

/** Body of a request at most. */
const BODY_LIMIT = '1mb';
/** A webhook whose signature is over the bytes of its body: they are kept as they came. */
const RAW_BODY = { path: '/api/hooks/kick', limit: '64kb' } as const;

/** Everything between the socket and the controllers, the same for the server and for tests. */
export function configureHttp(app: NestExpressApplication, settings: ApiSettings, preview = false): void {
  const proxies = list.parse(settings.TRUST_PROXY);
  if (proxies.length > 0) app.set('trust proxy', proxies);
  app.use(requestId);
  app.use(requestContext);
  if (settings.HTTPS_ONLY) app.use(httpsOnly);
  // In a preview nothing is there to be measured.
  if (!preview) app.use(httpMetrics(app.get(Metrics)));
  app.use(
    helmet({
      // Swagger UI brings inline styles, and shows what it fetched from blobs; scripts come from the same origin alone.
      contentSecurityPolicy: {
        directives: {
          'img-src': ["'self'", 'data:', 'blob:'],
          'media-src': ["'self'", 'blob:'],
          'upgrade-insecure-requests': null,
        },
      },
      crossOriginResourcePolicy: { policy: 'cross-origin' },
    }),
  );
  app.enableCors(corsOptions(settings));
  app.use(plainUrl);
  app.use(RAW_BODY.path, raw({ type: () => true, limit: RAW_BODY.limit }));
  app.useBodyParser('json', { limit: BODY_LIMIT, reviver: plainText });
  app.useBodyParser('text', { limit: BODY_LIMIT, type: 'text/csv' });
  app.setGlobalPrefix('api', { exclude: HEALTH_ROUTES.map((path) => ({ path, method: RequestMethod.GET })) });
  app.useGlobalPipes(validationPipe());
  if (settings.NODE_ENV === 'production') {
    app.use(DOCUMENTATION_PATHS, app.get(AdminPages).middleware);
  }
  if (!preview) serveQueueBoard(app);
  serveEvents(app);
  serveOpenApi(app);
}

/** Health is at both places: where probes look, and beside the rest of the api. */
const HEALTH_ROUTES = [
  'metrics',
  'api/metrics',
  'health',
  'health/live',
  'health/ready',
  'api/health',
  'api/health/live',
  'api/health/ready',
];

/** Which browser origins may call, over HTTP and sockets alike. */
export function corsOptions(settings: Pick<ApiSettings, 'CORS_ORIGINS' | 'COOKIE_AUTH'>): {
  origin: string[];
  credentials: boolean;
  exposedHeaders: string[];
  maxAge: number;
} {
  return {
    origin: list.parse(settings.CORS_ORIGINS),
    credentials: settings.COOKIE_AUTH,
    exposedHeaders: ['X-Request-Id', 'Retry-After', 'ETag', 'Location', 'Idempotency-Replayed', CSRF_HEADER],
    maxAge: 600,
  };
}
