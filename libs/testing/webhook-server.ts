import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** How a request is answered. */
export type WebhookScript =
  | { status: number; headers?: Readonly<Record<string, string>>; delayMs?: number }
  /** The connection is cut in place of an answer. */
  | { drop: true };

/** A request that came in. */
export interface WebhookCall {
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
  at: number;
}

/** A receiver of webhooks on loopback, scripted call by call; answers 204 by default. */
export class WebhookServer {
  readonly calls: WebhookCall[] = [];
  readonly script: WebhookScript[] = [];

  private constructor(private readonly server: Server) {}

  static async start(): Promise<WebhookServer> {
    const server = createServer();
    const receiver = new WebhookServer(server);
    server.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('error', () => undefined);
      request.on('end', () => {
        const body = Buffer.concat(chunks).toString('utf8');
        receiver.calls.push({ path: request.url ?? '', headers: request.headers, body, at: Date.now() });
        const script = receiver.script.shift() ?? { status: 204 };
        if ('drop' in script) {
          request.socket.destroy();
          return;
        }
        const answer = (): void => void response.writeHead(script.status, script.headers).end();
        if (script.delayMs === undefined) answer();
        else setTimeout(answer, script.delayMs).unref();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return receiver;
  }

  /** `host:port`. */
  get place(): string {
    return `127.0.0.1:${String((this.server.address() as AddressInfo).port)}`;
  }

  get url(): string {
    return `http://${this.place}/hook`;
  }

  /** Whether a call was signed with this secret, as https://www.standardwebhooks.com asks a receiver to check. */
  static isSigned({ headers, body }: WebhookCall, secret: string): boolean {
    const [id, timestamp] = [headers['webhook-id'], headers['webhook-timestamp']];
    const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
    const wanted = createHmac('sha256', key)
      .update(`${String(id)}.${String(timestamp)}.${body}`)
      .digest();
    return String(headers['webhook-signature'])
      .split(' ')
      .map((part) => Buffer.from(part.replace(/^v1,/, ''), 'base64'))
      .some((given) => given.length === wanted.length && timingSafeEqual(given, wanted));
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
