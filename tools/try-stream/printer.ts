import type {
  FindingSink,
  HeardFinding,
  ReadFinding,
  Transcript,
} from '../../apps/monitor/src/pipeline/finding.types.js';
import type { Closed, Opened } from '../../apps/monitor/src/pipeline/pipeline.types.js';
import type { SessionSink } from '../../apps/monitor/src/sessions/session-sink.js';

const inSeconds = (ms: number): number => Math.round(ms) / 1000;

/** Prints a session's findings: words when they are found, all that lasts when it is over. */
export class FindingPrinter implements SessionSink, FindingSink {
  /** Why the stream could not be watched; null when it could. */
  fault: string | null = null;
  /** Stream time of a wall time, both ms. */
  streamTimeOf: (wallTimeMs: number) => number = (wallTimeMs) => wallTimeMs;
  private readonly seen = new Map<string, Opened>();
  private readonly lasting = new Map<string, { startedAt: number; finding: HeardFinding | ReadFinding }>();

  constructor(
    private readonly seconds: number,
    /** Id of the video detector. */
    private readonly detector: string,
    private readonly ending: AbortController,
  ) {}

  status(change: { status: string; detail: string }): void {
    process.stderr.write(`${change.status}${change.detail === '' ? '' : `: ${change.detail}`}\n`);
    // What is told of the end that was asked for is no fault.
    if (this.ending.signal.aborted) return;
    const failed = ['error', 'offline', 'degraded'].includes(change.status);
    this.fault = failed ? change.detail : null;
    if (failed) this.ending.abort();
  }

  opened(event: Opened): Promise<void> {
    this.seen.set(event.eventId, event);
    return Promise.resolve();
  }

  closed(event: Closed): Promise<void> {
    const start = this.seen.get(event.eventId);
    this.seen.delete(event.eventId);
    print({
      ...{ kind: 'video', detector: this.detector, label: event.rule.label, confidence: event.peakConfidence },
      ...{ startedAt: inSeconds(event.startedStreamMs), endedAt: inSeconds(event.endedStreamMs) },
      ...{ box: start?.objects[0]?.box.map(Math.round), frames: event.frames },
    });
    return Promise.resolve();
  }

  inspected(streamTimeMs: number): void {
    if (streamTimeMs >= this.seconds * 1000) this.ending.abort();
  }

  found(finding: HeardFinding | ReadFinding): Promise<void> {
    // At once: what is known of the stream's clock changes.
    const startedAt = inSeconds(this.streamTimeOf(finding.startedAt));
    if (finding.ruleId === null) this.lasting.set(finding.eventId, { startedAt, finding: withoutSound(finding) });
    else printFinding(finding, startedAt, null);
    return Promise.resolve();
  }

  over(eventId: string, endedAt: number): Promise<void> {
    const begun = this.lasting.get(eventId);
    this.lasting.delete(eventId);
    if (begun !== undefined) printFinding(begun.finding, begun.startedAt, inSeconds(this.streamTimeOf(endedAt)));
    return Promise.resolve();
  }

  followed(): Promise<void> {
    return Promise.resolve();
  }

  written({ text }: Transcript): Promise<void> {
    process.stderr.write(`said: ${text}\n`);
    return Promise.resolve();
  }
}

const withoutSound = (finding: HeardFinding | ReadFinding): HeardFinding | ReadFinding =>
  finding.kind === 'audio' ? { ...finding, pcm: null } : finding;

function printFinding(finding: HeardFinding | ReadFinding, startedAt: number, endedAt: number | null): void {
  const { kind, detector, label, confidence, quote, detail } = finding;
  print({ kind, detector, label, confidence, startedAt, endedAt, text: quote?.text ?? null, detail });
}

function print(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
