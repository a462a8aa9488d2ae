import { createServer } from 'node:http';
import { once } from 'node:events';
import type { INestApplication } from '@nestjs/common';
import type { NextFunction, Request, Response } from 'express';

/** A host name or address without a port, as a `Host` header has it. */
const HOST = /^(\[[\da-f:.]{2,45}\]|[\w.-]{1,253})(?::\d{1,5})?$/i;
/** What probes ask for, without TLS even behind a proxy. */
const HEALTH = /^(\/api)?\/health(\/|$)/;

/** The same address over https, null when the host is none. Permanent, and the method stays (RFC 9110, 308). */
function secure(host: string | undefined, port: number, path: string): string | null {
  const name = HOST.exec(host ?? '')?.[1];
  // A path that begins with two slashes would name another host.
  return name === undefined
    ? null
    : `https://${name}${port === 443 ? '' : `:${String(port)}`}/${path.replace(/^\/+/, '')}`;
}

/** Sends whoever reached the proxy over plain http to https; the proxy must be trusted to say so. */
export function httpsOnly(request: Request, response: Response, next: NextFunction): void {
  if (request.secure || HEALTH.test(request.path)) {
    next();
    return;
  }
  const location = secure(request.headers.host, 443, request.originalUrl);
  if (location === null) response.status(400).end();
  else response.redirect(308, location);
}

/**
 * Answers every plain request on `port` by where it is over https, until the application closes.
 * @returns the port that is listened on.
 */
export async function startRedirect(
  app: Pick<INestApplication, 'getHttpServer'>,
  port: number,
  host: string,
  httpsPort: number,
): Promise<number> {
  const server = createServer((request, response) => {
    const location = secure(request.headers.host, httpsPort, request.url ?? '/');
    response.writeHead(location === null ? 400 : 308, location === null ? {} : { Location: location });
    response.end();
  });
  server.headersTimeout = 5_000;
  server.requestTimeout = 5_000;
  server.listen(port, host);
  await once(server, 'listening');
  (app.getHttpServer() as NodeJS.EventEmitter).once('close', () => {
    server.close();
    server.closeAllConnections();
  });
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : port;
}
