import { messageOf } from '#libs/errors/app-error.js';
import type { AsrEngine } from '../detectors/whisper/asr.port.js';
import { BorderStitcher, type Stitched } from './border-stitcher.js';
import { InventionFilterChain, type InventionFilter } from './invention-filter.js';
import { durationOf } from './pcm.js';
import type { Utterance } from './utterance-cutter.js';
import { UtteranceQueue, type Coverage, type QueueLimits, type Waiting } from './utterance-queue.js';

/** One utterance, written down. Final: it does not change any more. */
export interface TranscriptSegment {
  streamId: string;
  /** Stream time, ms. */
  startMs: number;
  endMs: number;
  text: string;
  /** The text with the end of the one before, for phrases that a pause has cut in two. */
  stitched: Stitched;
  language: string | null;
  engine: string;
  model: string;
  /** Mean probability of speech, 0 to 1. */
  vadMean: number;
  /** Filters that changed the text. */
  filters: InventionFilter[];
  /** Sound of the utterance, 16 kHz mono: the evidence. */
  pcm: Int16Array;
  /** From the end of the speech's queueing to its text, ms. */
  latencyMs: number;
}

/** What the room has done since it started. */
export interface TranscriberFigures {
  /** Utterances written down, failed, and dropped by each filter. */
  written: number;
  failed: number;
  filtered: Partial<Record<InventionFilter, number>>;
  /** Time that the engine took over the length of what it heard; null before the first. */
  realTimeFactor: number | null;
  waiting: number;
  lagMs: number;
  lastFailure: string | null;
}

/** What the transcriber is made of. */
export interface TranscriberOptions {
  engine: AsrEngine;
  onSegment: (segment: TranscriptSegment) => void;
  /** Told of each utterance that was dropped for want of time: coverage lost. */
  onDropped?: (dropped: Waiting) => void;
  /** Words of the longest phrase looked for across borders; 8 when not given. */
  longestPhrase?: number;
  /** Epoch ms. */
  now?: () => number;
  limits?: QueueLimits;
}

interface Lane {
  filters: InventionFilterChain;
  stitcher: BorderStitcher;
}

/** Writes the utterances of every stream down, one after the other, with one engine. */
export class Transcriber {
  private readonly queue: UtteranceQueue;
  private readonly lanes = new Map<string, Lane>();
  private readonly stopping = new AbortController();
  private readonly now: () => number;
  private readonly filtered: Partial<Record<InventionFilter, number>> = {};
  private running: Promise<void> | null = null;
  private written = 0;
  private failed = 0;
  private soundMs = 0;
  private workMs = 0;
  private lastFailure: string | null = null;
  private underWay: string | null = null;

  constructor(private readonly options: TranscriberOptions) {
    this.now = options.now ?? Date.now;
    this.queue = new UtteranceQueue(this.now, options.onDropped, options.limits);
  }

  /** Begins to work; the engine is started and stopped by its owner. */
  start(): void {
    this.running ??= this.work();
  }

  /** Hands over an utterance. Nothing is kept while the engine has no model: there is no use in a backlog. */
  offer(streamId: string, utterance: Utterance): void {
    if (this.options.engine.state().model !== null) this.queue.offer(streamId, utterance);
  }

  /** Whether anything of a stream waits or is being written down. */
  isBusyWith(streamId: string): boolean {
    return this.underWay === streamId || this.queue.holds(streamId);
  }

  /** What a stream has lost. */
  coverage(streamId: string): Readonly<Coverage> {
    return this.queue.coverage(streamId);
  }

  figures(): TranscriberFigures {
    const { written, failed, filtered, lastFailure } = this;
    const realTimeFactor = this.soundMs === 0 ? null : this.workMs / this.soundMs;
    const { length: waiting, lagMs } = this.queue;
    return { written, failed, filtered: { ...filtered }, realTimeFactor, waiting, lagMs, lastFailure };
  }

  /** A stream has ended: what waits of it is thrown away. */
  forget(streamId: string): void {
    this.queue.forget(streamId);
    this.lanes.delete(streamId);
  }

  /** Ends the work; what is under way is given up, and not waited for: an engine may take a minute, or never answer. */
  async stop(): Promise<void> {
    this.stopping.abort();
    this.queue.close();
    await this.running;
  }

  private async work(): Promise<void> {
    const { signal } = this.stopping;
    for (let next = await this.queue.take(signal); next !== null; next = await this.queue.take(signal)) {
      const { utterance } = next;
      const startedAt = this.now();
      this.underWay = next.streamId;
      try {
        const { text, ...by } = await unlessAborted(this.options.engine.transcribe(utterance, signal), signal);
        this.workMs += this.now() - startedAt;
        this.soundMs += durationOf(utterance.pcm);
        this.hand(next, text, by);
      } catch (error) {
        if (signal.aborted) return;
        this.failed += 1;
        this.lastFailure = messageOf(error);
      } finally {
        this.underWay = null;
      }
    }
  }

  private hand(
    { streamId, utterance, queuedAt }: Waiting,
    written: string,
    by: { language: string | null; engine: string; model: string },
  ): void {
    const { startMs, endMs, pcm, vadMean } = utterance;
    const { filters, stitcher } = this.laneOf(streamId);
    const verdict = filters.judge({ text: written, durationMs: endMs - startMs, vadMean });
    for (const filter of verdict.filters) this.filtered[filter] = (this.filtered[filter] ?? 0) + 1;
    this.written += 1;
    const { text } = verdict;
    if (text === null) return;
    const stitched = stitcher.stitch({ ...utterance.voiced, text });
    const latencyMs = this.now() - queuedAt;
    this.options.onSegment({
      ...{ streamId, startMs, endMs, text, stitched, ...by, vadMean, filters: verdict.filters, pcm, latencyMs },
    });
  }

  private laneOf(streamId: string): Lane {
    const found = this.lanes.get(streamId);
    if (found !== undefined) return found;
    const stitcher = new BorderStitcher(this.options.longestPhrase ?? 8);
    const lane = { filters: new InventionFilterChain(), stitcher };
    this.lanes.set(streamId, lane);
    return lane;
  }
}

/** What is promised, or the reason of the signal as soon as it is aborted. */
async function unlessAborted<T>(promised: Promise<T>, signal: AbortSignal): Promise<T> {
  let abort = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason as Error);
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  });
  try {
    return await Promise.race([promised, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
