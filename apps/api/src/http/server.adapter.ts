import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { ExpressAdapter } from '@nestjs/platform-express';
import type { Problem } from './problem.js';

/**
 * All headers of a request at most, in bytes. Far more than anybody needs, so that a token of absurd size is refused as
 * any other bad token is, and not by a broken connection.
 */
const HEADER_BYTES = 128 * 1_024;
/** Headers, and then the whole request, must be there within so long, in ms: slow senders hold no connection. */
const HEADERS_MS = 15_000;
const REQUEST_MS = 120_000;
/** Longer than the 60 s for which proxies keep an idle connection: the one that closes first must be the one that asks. */
const KEEP_ALIVE_MS = 75_000;

/** What Node's parser says before there is a request, and the status it means. */
const PARSER_FAULTS: Readonly<Record<string, { status: number; code: string; detail: string }>> = {
  HPE_HEADER_OVERFLOW: { status: 431, code: 'request.headers_too_large', detail: 'The headers are too large.' },
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, code: 'request.timeout', detail: 'The request did not arrive in time.' },
};
const MALFORMED = { status: 400, code: 'request.malformed', detail: 'This is not a well-formed HTTP request.' };

/** Express behind a server with limits of its own, which answers what is no request as a problem, too. */
export class ServerAdapter extends ExpressAdapter {
  /** Everywhere, not only below the api's prefix. */
  override setNotFoundHandler(handler: Parameters<ExpressAdapter['setNotFoundHandler']>[0]): void {
    super.setNotFoundHandler(handler);
  }

  override initHttpServer(options: Parameters<ExpressAdapter['initHttpServer']>[0]): void {
    super.initHttpServer(options);
    const server = this.getHttpServer();
    server.headersTimeout = HEADERS_MS;
    server.requestTimeout = REQUEST_MS;
    server.keepAliveTimeout = KEEP_ALIVE_MS;
    // The property behind the option of `createServer`, which Nest calls without: a test holds Node to it.
    Reflect.set(server, 'maxHeaderSize', HEADER_BYTES);
    server.on('clientError', refuse);
  }
}

function refuse(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const { status, code, detail } = PARSER_FAULTS[error.code ?? ''] ?? MALFORMED;
  const title = STATUS_CODES[status] ?? 'Error';
  const problem: Problem = {
    type: `urn:vigil:problem:${code}`,
    title,
    status,
    detail,
    code,
    instance: '',
    requestId: '',
  };
  const body = JSON.stringify(problem);
  const head = [
    `HTTP/1.1 ${String(status)} ${title}`,
    'Connection: close',
    'Content-Type: application/problem+json',
    `Content-Length: ${String(Buffer.byteLength(body))}`,
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}
