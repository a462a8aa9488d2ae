import { createBullBoard } from '@bull-board/api';
import { ExpressAdapter } from '@bull-board/express';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { NextFunction, Request, Response } from 'express';
import helmet from 'helmet';
import { QueueBoard } from '#libs/bus/queue-board.js';
import { withoutSecrets } from '#libs/observability/logger.js';
import { AdminPages } from '../auth/admin-pages.js';
import { Channels } from '../notifications/channels/channels.js';

/** Where the queues are shown. */
export const QUEUE_BOARD_PATH = '/admin/queues';

/** How deep in an answer the data of a job begins. */
const JOBS_LIE_AT = 5;

/** Shows the queues to admins by Bull Board, in every environment. Nothing can be changed there. */
export function serveQueueBoard(app: NestExpressApplication): void {
  const board = app.get(QueueBoard);
  const channels = app.get(Channels, { strict: false }).all.map(({ id }) => id);
  const server = new ExpressAdapter().setBasePath(QUEUE_BOARD_PATH);
  createBullBoard({
    queues: board.adapters(channels),
    serverAdapter: server,
    options: { uiConfig: { boardTitle: 'Vigil: queues' } },
  });
  // Its own tells the stack.
  server.setErrorHandler(() => ({ status: 500, body: { error: 'The queues cannot be read now.' } }));
  app.use(
    QUEUE_BOARD_PATH,
    readOnly,
    bounded,
    app.get(AdminPages).middleware,
    // Scripts and figures of this origin alone, in no frame; its styles are inline. It asks for fonts of another site: not here.
    helmet.contentSecurityPolicy({
      useDefaults: false,
      directives: {
        ...{ 'default-src': ["'none'"], 'script-src': ["'self'"], 'style-src': ["'self'", "'unsafe-inline'"] },
        ...{ 'img-src': ["'self'", 'data:'], 'font-src': ["'self'", 'data:'], 'connect-src': ["'self'"] },
        ...{ 'base-uri': ["'self'"], 'form-action': ["'none'"], 'frame-ancestors': ["'none'"] },
      },
    }),
    helmet.crossOriginResourcePolicy({ policy: 'same-origin' }),
    (_request: Request, response: Response, next: NextFunction) => {
      response.setHeader('Cache-Control', 'no-store');
      if (board.isReady) next();
      else response.status(503).type('text/plain').send('Redis cannot be asked now.\n');
    },
    redacted,
    server.getRouter(),
  );
}

/** Whatever Bull Board could do to a queue it does by another method. */
function readOnly({ method }: Request, response: Response, next: NextFunction): void {
  if (method === 'GET' || method === 'HEAD') next();
  else response.status(405).setHeader('Allow', 'GET, HEAD').type('text/plain').send('The queues are only shown.\n');
}

/** No more jobs at once than the page itself asks for. */
function bounded({ query }: Request, response: Response, next: NextFunction): void {
  const { jobsPerPage = '' } = query;
  if (typeof jobsPerPage === 'string' && /^(\d{1,2}|100)?$/.test(jobsPerPage)) next();
  else response.status(400).type('text/plain').send('At most 100 jobs are shown at once.\n');
}

/** Takes secrets and addresses with credentials out of what is answered: reasons of failures may hold them. */
function redacted(_request: Request, response: Response, next: NextFunction): void {
  const json = response.json.bind(response);
  response.json = (body: unknown) => json(withoutSecrets(body, -JOBS_LIE_AT));
  next();
}
