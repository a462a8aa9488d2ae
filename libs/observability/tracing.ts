import { randomBytes } from 'node:crypto';
import type { Logger } from './logger.js';
import { rootOf, traceIdOf, type SpanNote, type SpanPlace, type SpanRecorder } from './span.js';

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

function newSpanId(): string {
  return randomBytes(8).toString('hex');
}
