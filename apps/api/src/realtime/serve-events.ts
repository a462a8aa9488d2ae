import type { NestExpressApplication } from '@nestjs/platform-express';
import type { Response } from 'express';
import { socketContract } from './async-api.js';
import { eventsPage } from './events-page.js';

/** Serves the page on Socket.IO at `/docs/events`; before Swagger UI, which takes what else is below `/docs`. */
export function serveEvents(app: NestExpressApplication): void {
  let page: string | undefined;
  app.getHttpAdapter().get('/docs/events', (_request: unknown, response: Response) => {
    page ??= eventsPage(socketContract());
    response.type('text/html; charset=utf-8').send(page);
  });
}
