import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** How a call is answered. */
export type TelegramScript =
  | { code: number; description: string; retryAfter?: number }
  /** The connection is cut in place of an answer. */
  | { drop: true };

/** A call of a method. */
export interface TelegramCall {
  method: string;
  body: string;
  at: number;
}

/** The Telegram Bot API on loopback: `sendMessage` and `sendPhoto`, scripted call by call. */
export class TelegramServer {
  readonly calls: TelegramCall[] = [];
  readonly script: TelegramScript[] = [];
  private sent = 0;

  private constructor(
    private readonly server: Server,
    /** The token that it answers to. */
    readonly token: string,
  ) {}

  static async start(token = '123456:abcdefghijklmnopqrstuvwxyz'): Promise<TelegramServer> {
    const server = createServer();
    const telegram = new TelegramServer(server, token);
    server.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('error', () => undefined);
      request.on('end', () => {
        const [, given, method = ''] = /^\/bot([^/]+)\/(\w+)$/.exec(request.url ?? '') ?? [];
        telegram.calls.push({ method, body: Buffer.concat(chunks).toString('utf8'), at: Date.now() });
        const script = given === token ? telegram.script.shift() : { code: 401, description: 'Unauthorized' };
        if (script !== undefined && 'drop' in script) {
          request.socket.destroy();
          return;
        }
        const answer = script === undefined ? telegram.success() : failure(script);
        response.writeHead(script?.code ?? 200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return telegram;
  }

  get url(): string {
    return `http://127.0.0.1:${String((this.server.address() as AddressInfo).port)}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private success(): object {
    this.sent += 1;
    return { ok: true, result: { message_id: this.sent } };
  }
}

function failure({ code, description, retryAfter }: Exclude<TelegramScript, { drop: true }>): object {
  return {
    ...{ ok: false, error_code: code, description },
    ...(retryAfter === undefined ? {} : { parameters: { retry_after: retryAfter } }),
  };
}
