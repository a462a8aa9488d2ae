import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A way in which a site can let one down: the answer to every request, whatever is asked. */
export type BadAnswer = (response: ServerResponse) => void;

function text(body: string, type = 'application/json', status = 200): BadAnswer {
  return (response) => response.writeHead(status, { 'content-type': type }).end(body);
}

/** Answers that end by themselves, by name; none of them is one that an adapter can use. */
export const BAD_ANSWERS: Readonly<Record<string, BadAnswer>> = {
  'no JSON': text('{"data":{"streamPlayb'),
  'an empty list': text('[]'),
  'a bare null': text('null'),
  'an empty object': text('{}'),
  'numbers for text': text('{"data":{"streamPlaybackAccessToken":{"value":1}},"livestream":5,"playabilityStatus":7}'),
  'very deep JSON': text('['.repeat(50_000) + ']'.repeat(50_000)),
  'nothing at all': text('', 'text/plain'),
  'a page instead of data': text('<!doctype html><html><body>Hello</body></html>', 'text/html'),
  'an endless body': (response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    const piece = `{"a":"${'x'.repeat(65_536)}`;
    const more = (): void => {
      while (!response.destroyed && response.write(piece));
    };
    response.on('drain', more);
    more();
  },
  'a connection that breaks off': (response) => {
    response.writeHead(200, { 'content-length': 1_000 });
    response.write('{"a":', () => response.destroy());
  },
  ...Object.fromEntries(
    [204, 304, 400, 401, 403, 404, 410, 429, 451, 500, 503].map((status) => [
      `status ${status}`,
      text(status < 400 ? '' : '{"message":"no"}', 'application/json', status),
    ]),
  ),
};

/** A site on loopback that answers everything badly, for tests of what asks it. */
export class BadSite {
  answer: BadAnswer = text('{}');
  requests = 0;

  private constructor(private readonly server: Server) {}

  static async start(): Promise<BadSite> {
    const server = createServer();
    const site = new BadSite(server);
    server.on('request', (_request, response) => {
      site.requests += 1;
      response.on('error', () => undefined);
      site.answer(response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return site;
  }

  /** `host:port`, as `EGRESS_ALLOW` wants it. */
  get host(): string {
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  get url(): string {
    return `http://${this.host}/`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }
}
