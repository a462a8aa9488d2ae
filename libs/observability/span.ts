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

/** Id of the trace of a finding: a UUID has as many bits. */
export function traceIdOf(findingId: string): string {
  return findingId.replaceAll('-', '');
}

/** Id of the span of a finding itself: known to every process without being told. */
export function rootOf(findingId: string): string {
  return traceIdOf(findingId).slice(16);
}
