import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';

const Attributes = z.array(z.object({ key: z.string(), value: z.record(z.string(), z.unknown()) }));
/** The part of `ExportTraceServiceRequest` in JSON that tests look at (opentelemetry-proto 1.x, trace.proto). */
const Request = z.object({
  resourceSpans: z.array(
    z.object({
      resource: z.object({ attributes: Attributes }),
      scopeSpans: z.array(
        z.object({
          spans: z.array(
            z.object({
              ...{ traceId: z.string(), spanId: z.string(), name: z.string(), parentSpanId: z.string().optional() },
              ...{ startTimeUnixNano: z.string(), endTimeUnixNano: z.string() },
              ...{ attributes: Attributes, links: z.array(z.object({ traceId: z.string() })) },
              status: z.object({ code: z.number() }),
            }),
          ),
        }),
      ),
    }),
  ),
});

/** A span that came in. */
export type TakenSpan = z.infer<typeof Request>['resourceSpans'][number]['scopeSpans'][number]['spans'][number] & {
  service: string;
};

/** A collector of traces on loopback: OTLP over HTTP, in JSON. */
export class OtlpServer {
  readonly spans: TakenSpan[] = [];
  /** All that came in, as it came. */
  readonly bodies: string[] = [];
  readonly headers: Record<string, unknown>[] = [];
  /** `silent`: takes requests and never answers. */
  mood: 'takes' | 'refuses' | 'silent' = 'takes';

  private constructor(private readonly server: Server) {}

  static async start(): Promise<OtlpServer> {
    const server = createServer();
    const collector = new OtlpServer(server);
    server.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('error', () => undefined).on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        if (collector.mood === 'silent') return;
        if (collector.mood === 'refuses' || request.method !== 'POST' || request.url !== '/v1/traces') {
          response.writeHead(400).end();
          return;
        }
        collector.headers.push(request.headers);
        collector.take(Buffer.concat(chunks).toString('utf8'));
        response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return collector;
  }

  get url(): string {
    return `http://127.0.0.1:${String((this.server.address() as AddressInfo).port)}`;
  }

  /** Spans of one trace. */
  of(traceId: string): TakenSpan[] {
    return this.spans.filter((span) => span.traceId === traceId);
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private take(body: string): void {
    this.bodies.push(body);
    for (const { resource, scopeSpans } of Request.parse(JSON.parse(body)).resourceSpans) {
      const service = String(resource.attributes.find(({ key }) => key === 'service.name')?.value['stringValue']);
      this.spans.push(...scopeSpans.flatMap(({ spans }) => spans.map((span) => ({ ...span, service }))));
    }
  }
}
