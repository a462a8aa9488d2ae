import { randomBytes } from 'node:crypto';
import type { Logger } from './logger.js';

/** What may be said of a span. Ids, names and numbers alone: no address of a person, no url, no text. */
export interface SpanAttributes {
  'vigil.stream.id'?: string;
  'vigil.finding.kind'?: string;
  'vigil.delivery.id'?: string;
  'vigil.delivery.channel'?: string;
  'vigil.delivery.attempt'?: number;
  'vigil.notifications'?: number;
  'http.request.method'?: string;
  /** The route, never the path itself. */
  'http.route'?: string;
  'http.response.status_code'?: number;
}

/** Something that took time and is over. */
export interface SpanNote {
  name: string;
  kind: 'internal' | 'server' | 'client' | 'producer' | 'consumer';
  startedAt: number;
  /** Epoch, ms; so is `startedAt`. */
  endedAt: number;
  attributes: SpanAttributes;
  failed: boolean;
}

/** Where a span stands: 32 and 16 hex digits (W3C Trace Context, section 3.2). */
export interface SpanPlace {
  traceId: string;
  spanId: string;
  /** Null for the first of its trace. */
  parentId: string | null;
  /** Traces of other findings that it tells of. */
  alsoOf: readonly string[];
}

/** Where spans go. */
export interface SpanRecorder {
  record(note: SpanNote, place: SpanPlace): void;
  /** Spans by what became of them. */
  readonly totals: Readonly<Record<'sent' | 'failed' | 'dropped', number>>;
  /** Sends what waits, in bounded time. */
  stop(): Promise<void>;
}

/** Settings of {@link startTracing}. */
export interface TracingSettings {
  OTEL_EXPORTER_OTLP_ENDPOINT?: string | undefined;
  OTEL_EXPORTER_OTLP_HEADERS?: string | undefined;
}

/** Findings that a span refers to at most. */
const MOST_LINKS = 20;

/** One a process, as in OpenTelemetry's own API; null while tracing is off. */
let recorder: SpanRecorder | null = null;

/** Has this process tell its spans, when an endpoint is set; else nothing is loaded. @param app `api` or `monitor`. */
export async function startTracing(app: string, settings: TracingSettings, logger: Logger): Promise<void> {
  const endpoint = settings.OTEL_EXPORTER_OTLP_ENDPOINT;
  if (endpoint === undefined) return;
  const { OtlpRecorder } = await import('./otlp-recorder.js');
  recorder = new OtlpRecorder(`vigil-${app}`, endpoint, settings.OTEL_EXPORTER_OTLP_HEADERS ?? '', logger);
}

/** Ends tracing; what waits is sent, if the other side takes it in time. */
export async function stopTracing(): Promise<void> {
  const ending = recorder;
  recorder = null;
  await ending?.stop();
}

/** Spans by what became of them; none while tracing is off. */
export function tracedSpans(): Readonly<Record<string, number>> {
  return recorder?.totals ?? {};
}

/**
 * Notes a span of the trace of a finding. The id of a finding, which logs and mails carry as correlation id, is the id of
 * its trace: nothing else has to travel with it. All of its spans stand below the one that {@link noteFinding} notes.
 */
export function noteSpan(findingId: string, note: Pick<SpanNote, 'name' | 'startedAt'> & Partial<SpanNote>): void {
  recorder?.record(whole(note), placeBelow([findingId]));
}

/** Notes the span of a finding itself, with those below it. */
export function noteFinding(findingId: string, note: Pick<SpanNote, 'name' | 'startedAt'> & Partial<SpanNote>): void {
  recorder?.record(whole(note), {
    traceId: traceIdOf(findingId),
    spanId: rootOf(findingId),
    parentId: null,
    alsoOf: [],
  });
}

/** Notes a span that belongs to no finding. */
export function noteAlone(note: Pick<SpanNote, 'name' | 'startedAt'> & Partial<SpanNote>): void {
  if (recorder === null) return;
  const [traceId, spanId] = [randomBytes(16).toString('hex'), newSpanId()];
  recorder.record(whole(note), { traceId, spanId, parentId: null, alsoOf: [] });
}

/**
 * Does work as a span of the trace of the first of these findings; the others are referred to.
 * @param work is given the `traceparent` to hand on; null while tracing is off, or when there is no finding.
 */
export async function inSpan<T>(
  findingIds: readonly string[],
  note: Pick<SpanNote, 'name'> & Partial<SpanNote>,
  work: (traceparent: string | null) => Promise<T>,
): Promise<T> {
  if (recorder === null || findingIds.length === 0) return work(null);
  const [startedAt, place] = [Date.now(), placeBelow(findingIds)];
  let failed = true;
  try {
    const result = await work(`00-${place.traceId}-${place.spanId}-01`);
    failed = false;
    return result;
  } finally {
    recorder?.record(whole({ ...note, startedAt, failed }), place);
  }
}

function whole(note: Pick<SpanNote, 'name' | 'startedAt'> & Partial<SpanNote>): SpanNote {
  const endedAt = note.endedAt ?? Date.now();
  return {
    ...{ kind: 'internal', attributes: {}, failed: false, ...note, endedAt },
    // The clock of a source may be ahead of ours.
    startedAt: Math.min(note.startedAt, endedAt),
  };
}

function placeBelow([findingId = '', ...others]: readonly string[]): SpanPlace {
  const traceId = traceIdOf(findingId);
  const alsoOf = others.slice(0, MOST_LINKS);
  return { traceId, spanId: newSpanId(), parentId: rootOf(findingId), alsoOf };
}

/** A UUID has as many bits as the id of a trace. */
function traceIdOf(findingId: string): string {
  return findingId.replaceAll('-', '');
}

/** Known to every process without being told. */
export function rootOf(findingId: string): string {
  return traceIdOf(findingId).slice(16);
}

function newSpanId(): string {
  return randomBytes(8).toString('hex');
}
