import { Agent, request } from 'node:http';

/** What came back: `text` is the body, cut off after {@link MOST_BYTES}. */
export interface Reply {
  status: number;
  type: string;
  text: string;
}

const MOST_BYTES = 4 * 1024 * 1024;
/** No answer within this is a fault of the route, ms. */
const PATIENCE_MS = 30_000;

/** Sends paths as they stand, which `fetch` would tidy up first. */
export class Loopback {
  private readonly agent = new Agent({ keepAlive: true, maxSockets: 8 });

  constructor(private readonly origin: string) {}

  /** Of a stream of events only the head is waited for. */
  send(method: string, path: string, headers: Readonly<Record<string, string>>, body?: string): Promise<Reply> {
    const { hostname, port } = new URL(this.origin);
    return new Promise((resolve, reject) => {
      const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
      const options = { hostname, port, method, path, agent: this.agent, headers: { ...headers, ...length } };
      const sent = request(options, (response) => {
        const { statusCode: status = 0 } = response;
        const type = String(response.headers['content-type'] ?? '');
        const done = (text: string): void => resolve({ status, type, text });
        if (type.startsWith('text/event-stream')) {
          done('');
          response.on('error', () => undefined).destroy();
          return;
        }
        const chunks: Buffer[] = [];
        let bytes = 0;
        response.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
          if (bytes <= MOST_BYTES) chunks.push(chunk);
        });
        response.on('end', () => done(Buffer.concat(chunks).toString('utf8')));
        response.on('error', reject);
      });
      sent.setTimeout(PATIENCE_MS, () => sent.destroy(new Error(`no answer within ${String(PATIENCE_MS)} ms`)));
      sent.on('error', reject);
      sent.end(body);
    });
  }

  close(): void {
    this.agent.destroy();
  }
}
