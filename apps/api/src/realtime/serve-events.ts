import type { NestExpressApplication } from '@nestjs/platform-express';
import type { Express, Response } from 'express';
import { socketContract } from './async-api.js';
import { eventsPage } from './events-page.js';

/** Serves the page on Socket.IO at `/docs/events`; before Swagger UI, which takes what else is below `/docs`. */
export function serveEvents(app: NestExpressApplication): void {
  let page: string | undefined;
  const express: Express = app.getHttpAdapter().getInstance();
  express.get('/docs/events', (_request, response: Response) => {
    page ??= eventsPage(socketContract());
    response.type('text/html; charset=utf-8').send(page);
  });
}
