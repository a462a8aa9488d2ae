import { ROOT_CONTEXT, SpanKind, SpanStatusCode, TraceFlags, trace, type Tracer } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import {
  BatchSpanProcessor,
  TracerProvider,
  type IdGenerator,
  type ReadableSpan,
  type SpanExporter,
  type TracerProviderOptions,
} from '@opentelemetry/sdk-trace';
import { messageOf } from '#libs/errors/app-error.js';
import { redactUrls, type Logger } from './logger.js';
import { rootOf, traceIdOf, type SpanNote, type SpanPlace, type SpanRecorder } from './span.js';

/** Spans that wait or are on their way at most; further ones are dropped, and counted. */
const MOST_WAITING = 2_048;
const BATCH = 512;
/** How long spans are gathered, and how long the collector may take, ms. */
const [GATHER_MS, PATIENCE_MS] = [1_000, 3_000];
/** How long the end of the process waits for the last ones, ms. */
const LAST_MS = 1_000;
/** Longest value of an attribute, in characters. */
const LONGEST = 200;

const KINDS: Readonly<Record<SpanNote['kind'], SpanKind>> = {
  internal: SpanKind.INTERNAL,
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
};

/** Sends spans to a collector by OTLP over HTTP. A collector that is slow or away costs spans, and nothing else. */
export class OtlpRecorder implements SpanRecorder {
  readonly totals = { sent: 0, failed: 0, dropped: 0 };
  private readonly ids = new GivenIds();
  private readonly provider: TracerProvider;
  private readonly tracer: Tracer;
  private waiting = 0;
  private lastFault = '';

  /**
   * @param endpoint as `OTEL_EXPORTER_OTLP_ENDPOINT`: the path of traces is added.
   * @param headers as `OTEL_EXPORTER_OTLP_HEADERS`: `name=value`, separated by commas.
   */
  constructor(
    service: string,
    endpoint: string,
    headers: string,
    private readonly logger: Logger,
  ) {
    const url = `${endpoint.replace(/\/$/, '')}/v1/traces`;
    const exporter = new OTLPTraceExporter({ url, headers: headersOf(headers), timeoutMillis: PATIENCE_MS });
    this.provider = new TracerProvider({
      idGenerator: this.ids,
      resource: resourceOf({ 'service.name': service }),
      spanLimits: { attributeValueLengthLimit: LONGEST },
      spanProcessors: [
        new BatchSpanProcessor({
          exporter: this.counted(exporter),
          ...{ maxQueueSize: MOST_WAITING, maxExportBatchSize: BATCH },
          ...{ scheduledDelayMillis: GATHER_MS, exportTimeoutMillis: PATIENCE_MS + 1_000 },
        }),
      ],
    });
    this.tracer = this.provider.getTracer(service);
  }

  record(note: SpanNote, place: SpanPlace): void {
    if (this.waiting >= MOST_WAITING) {
      this.totals.dropped += 1;
      return;
    }
    this.waiting += 1;
    this.ids.next = place;
    const { name, startedAt, endedAt, attributes, failed } = note;
    const sampled = { traceFlags: TraceFlags.SAMPLED, isRemote: true };
    const links = place.alsoOf.map((id) => ({
      context: { traceId: traceIdOf(id), spanId: rootOf(id), ...sampled },
    }));
    const above =
      place.parentId === null
        ? ROOT_CONTEXT
        : trace.setSpanContext(ROOT_CONTEXT, { traceId: place.traceId, spanId: place.parentId, ...sampled });
    const options = { startTime: new Date(startedAt), kind: KINDS[note.kind], attributes: harmless(attributes), links };
    const span = this.tracer.startSpan(name, options, above);
    if (failed) span.setStatus({ code: SpanStatusCode.ERROR });
    span.end(new Date(endedAt));
  }

  async stop(): Promise<void> {
    const ended = this.provider.shutdown().catch(() => undefined);
    await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, LAST_MS).unref())]);
  }

  private counted(exporter: SpanExporter): SpanExporter {
    return {
      export: (spans: ReadableSpan[], done) =>
        exporter.export(spans, (result) => {
          const sent = result.error === undefined;
          this.waiting -= spans.length;
          this.totals[sent ? 'sent' : 'failed'] += spans.length;
          this.tell(sent ? '' : redactUrls(messageOf(result.error)));
          done(result);
        }),
      shutdown: () => exporter.shutdown(),
    };
  }

  /** One line for each new kind of fault, not one for each batch. */
  private tell(fault: string): void {
    if (fault !== '' && fault !== this.lastFault) this.logger.warn({ fault }, 'traces cannot be sent');
    this.lastFault = fault;
  }
}

/** Gives the next span the ids that were chosen for it: starting one is synchronous. */
class GivenIds implements IdGenerator {
  next: Pick<SpanPlace, 'traceId' | 'spanId'> = { traceId: '', spanId: '' };

  generateTraceId(): string {
    return this.next.traceId;
  }

  generateSpanId(): string {
    return this.next.spanId;
  }
}

/** What a route or a name may have taken over from outside is no secret here, and no url. */
function harmless(attributes: SpanNote['attributes']): Record<string, string | number> {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, value]: [string, string | number]) => [
      name,
      typeof value === 'string' ? redactUrls(value) : value,
    ]),
  );
}

/** What all spans are of. */
function resourceOf(attributes: Record<string, string>): NonNullable<TracerProviderOptions['resource']> {
  return { attributes, getRawAttributes: () => Object.entries(attributes), merge: () => resourceOf(attributes) };
}

function headersOf(text: string): Record<string, string> {
  const pairs = text.split(',').map((pair) => pair.trim());
  return Object.fromEntries(
    pairs
      .filter((pair) => pair.includes('='))
      .map((pair) => [pair.slice(0, pair.indexOf('=')), decodeURIComponent(pair.slice(pair.indexOf('=') + 1))]),
  );
}
