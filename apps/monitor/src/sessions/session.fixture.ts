import { setTimeout as wait } from 'node:timers/promises';
import type { CaptureJob, KeywordRule, ObjectRule } from '#libs/contracts/captures.js';
import type { ChatLine } from '#libs/contracts/chat.js';
import type { SessionReport } from '#libs/contracts/monitors.js';
import type { AdapterDescriptor } from '#libs/contracts/monitors.js';
import type { CapturedFrame, FrameFormat } from '../capture/frame.js';
import type { DetectorState, VideoDetector } from '../detectors/detector.port.js';
import type { AsrEngine, AsrSound, AsrState, AsrText } from '../detectors/whisper/asr.port.js';
import type { SherpaEngine } from '../detectors/whisper/sherpa-engine.js';
import type { FindingSink, HeardFinding, ReadFinding, Transcript } from '../pipeline/finding.types.js';
import type { Closed, Opened } from '../pipeline/pipeline.types.js';
import type { Voice } from '../speech/stream-ear.js';
import type { SessionSink } from './session-sink.js';
import type { StatusChange } from './session-status.js';

export const STREAM_ID = '2f5d0d5a-6c0b-4a57-8d3c-5f1f6d7f0a11';

/** A capture job with defaults. */
export function jobOf(changes: Partial<CaptureJob>): CaptureJob {
  return {
    ...{ v: 1, streamId: STREAM_ID, generation: 3, name: 'clip', platform: 'url', url: 'file:///nowhere' },
    ...{ priority: 5, parts: ['video', 'audio', 'chat'], language: null, chat: null },
    ...changes,
  };
}

/** A keyword rule with defaults. */
export function keywordOf(label: string, pattern: string, changes: Partial<KeywordRule> = {}): KeywordRule {
  const id = `00000000-0000-4000-8000-${Buffer.from(label).toString('hex').padStart(12, '0').slice(-12)}`;
  return {
    ...{ id, version: 1, label, pattern, kind: 'literal', allow: [], fuzzy: false, phonetic: false },
    ...{ appliesTo: 'both', language: null, severity: 'high', cooldownMs: 0 },
    ...changes,
  };
}

export const lightRule: ObjectRule = {
  ...{ id: '7a0c1a3e-3c5f-4b62-9a43-0d5d2c1c9d10', version: 1, label: 'light', threshold: 0.5 },
  ...{ severity: 'low', cooldownMs: 0 },
};

/** Finds a "light" where the picture is bright: a detector of one line. */
export class LightDetector implements VideoDetector {
  readonly descriptor = { id: 'light', title: 'Light', options: {} };
  readonly frameFormat: FrameFormat | null = { width: 32, height: 32, fit: 'stretch', pad: 0 };
  condition: DetectorState = { state: 'ready', detail: 'ready', model: 'light', labels: ['light'] };
  /** Thrown by the next inspections, one each. */
  readonly faults: Error[] = [];
  inspected = 0;

  state(): DetectorState {
    return this.condition;
  }
  start(): Promise<void> {
    return Promise.resolve();
  }
  inspect(frame: CapturedFrame): Promise<{ label: string; score: number; box: [number, number, number, number] }[]> {
    this.inspected += 1;
    const fault = this.faults.shift();
    if (fault !== undefined) return Promise.reject(fault);
    const bright = (frame.pixels[0] ?? 0) > 128;
    return Promise.resolve(bright ? [{ label: 'light', score: 0.9, box: [0, 0, 10, 10] }] : []);
  }
  stop(): Promise<void> {
    return Promise.resolve();
  }
}

/** Takes whatever is loud for speech. */
export const loudVoice: Voice = {
  hear: (_, samples) =>
    Promise.resolve(
      Float32Array.from({ length: samples.length / 512 }, (_, frame) =>
        samples.subarray(frame * 512, frame * 512 + 512).some((sample) => Math.abs(sample) > 0.02) ? 1 : 0,
      ),
    ),
  forget: () => undefined,
};

/** The true engine with a count after each text, for a model that always says the same is taken for an inventor. */
export class CountingEngine implements AsrEngine {
  private count = 0;

  constructor(readonly inner: SherpaEngine) {}

  get descriptor(): AdapterDescriptor {
    return this.inner.descriptor;
  }
  state(): AsrState {
    return this.inner.state();
  }
  start(): Promise<void> {
    return this.inner.start();
  }
  async transcribe(sound: AsrSound, signal?: AbortSignal): Promise<AsrText> {
    const said = await this.inner.transcribe(sound, signal);
    this.count += 1;
    return { ...said, text: `${said.text} ${this.count}` };
  }
  stop(): Promise<void> {
    return this.inner.stop();
  }
}

/** Keeps whatever a session tells. */
export class KeepingSink implements SessionSink, FindingSink {
  readonly statuses: StatusChange[] = [];
  readonly seen: Opened[] = [];
  readonly seenEnds: Closed[] = [];
  readonly findings: (HeardFinding | ReadFinding)[] = [];
  readonly ends: { eventId: string; endedAt: number }[] = [];
  readonly contexts: { eventId: string; after: readonly ChatLine[] }[] = [];
  readonly transcripts: Transcript[] = [];

  status(change: StatusChange): void {
    this.statuses.push(change);
  }
  async opened(event: Opened): Promise<void> {
    this.seen.push(event);
    return Promise.resolve();
  }
  async closed(event: Closed): Promise<void> {
    this.seenEnds.push(event);
    return Promise.resolve();
  }
  async found(finding: HeardFinding | ReadFinding): Promise<void> {
    this.findings.push(finding);
    return Promise.resolve();
  }
  async over(eventId: string, endedAt: number): Promise<void> {
    this.ends.push({ eventId, endedAt });
    return Promise.resolve();
  }
  async followed(eventId: string, after: readonly ChatLine[]): Promise<void> {
    this.contexts.push({ eventId, after });
    return Promise.resolve();
  }
  async written(transcript: Transcript): Promise<void> {
    this.transcripts.push(transcript);
    return Promise.resolve();
  }
  /** Findings of one label. */
  labelled(label: string): (HeardFinding | ReadFinding)[] {
    return this.findings.filter((finding) => finding.label === label);
  }
}

/** Waits until a report is as it should be; the failure shows the last one. */
export async function untilReport(
  what: string,
  report: () => SessionReport,
  condition: (report: SessionReport) => boolean,
  deadlineMs = 30_000,
): Promise<SessionReport> {
  const end = Date.now() + deadlineMs;
  for (;;) {
    const last = report();
    if (condition(last)) return last;
    if (Date.now() > end) throw new Error(`It did not come about in time: ${what}. ${JSON.stringify(last, null, 1)}`);
    await wait(20);
  }
}
