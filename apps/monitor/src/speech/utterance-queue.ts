import { durationOf } from './pcm.js';
import type { Utterance } from './utterance-cutter.js';

/** An utterance that waits to be written down. */
export interface Waiting {
  streamId: string;
  utterance: Utterance;
  /** When it was queued, epoch ms. */
  queuedAt: number;
}

/** What a stream has lost for want of time, since it was first heard. */
export interface Coverage {
  /** Utterances handed over. */
  queued: number;
  /** Utterances dropped unread, and how much sound they held, ms. */
  dropped: number;
  droppedMs: number;
}

/** Bounds of the queue. */
export interface QueueLimits {
  /** Waiting longer than this, an utterance is dropped, ms. */
  maxLagMs: number;
  /** Utterances that wait at most, over all streams. */
  maxWaiting: number;
  /** Sound that waits at most, over all streams, ms; 10 min are 19 MB. */
  maxSoundMs: number;
}

export const QUEUE_DEFAULTS: QueueLimits = { maxLagMs: 20_000, maxWaiting: 256, maxSoundMs: 600_000 };

/**
 * Utterances of every stream on their way to the one engine. Streams take turns, so that a talkative one does not
 * silence the others; what waits too long is dropped, the oldest first, and counted as coverage lost.
 */
export class UtteranceQueue {
  /** In the order of their turns: a stream that was served goes to the end. */
  private readonly lanes = new Map<string, Waiting[]>();
  private readonly coverages = new Map<string, Coverage>();
  private readers: ((next: Waiting | null) => void)[] = [];
  private waiting = 0;
  private soundMs = 0;
  private closed = false;

  constructor(
    private readonly now: () => number,
    private readonly onDropped: (dropped: Waiting) => void = () => undefined,
    private readonly limits: QueueLimits = QUEUE_DEFAULTS,
  ) {}

  /** Utterances that wait. */
  get length(): number {
    return this.waiting;
  }

  /** How long the oldest has been waiting, ms. */
  get lagMs(): number {
    const oldest = this.oldest();
    return oldest === null ? 0 : this.now() - oldest.queuedAt;
  }

  /** Whether anything of a stream waits. */
  holds(streamId: string): boolean {
    return this.lanes.has(streamId);
  }

  /** What a stream has lost; zeros for one that was never heard. */
  coverage(streamId: string): Readonly<Coverage> {
    return this.coverages.get(streamId) ?? { queued: 0, dropped: 0, droppedMs: 0 };
  }

  /** Adds an utterance; may drop older ones. After {@link close} nothing is taken. */
  offer(streamId: string, utterance: Utterance): void {
    if (this.closed) return;
    const added = { streamId, utterance, queuedAt: this.now() };
    const coverage = this.coverages.get(streamId) ?? { queued: 0, dropped: 0, droppedMs: 0 };
    this.coverages.set(streamId, coverage);
    coverage.queued += 1;
    const reader = this.readers.shift();
    if (reader !== undefined) return reader(added);
    const lane = this.lanes.get(streamId) ?? [];
    this.lanes.set(streamId, lane);
    lane.push(added);
    this.waiting += 1;
    this.soundMs += durationOf(utterance.pcm);
    this.shed();
  }

  /** The next in turn, when there is one; null once the queue is closed or `signal` aborted. */
  take(signal?: AbortSignal): Promise<Waiting | null> {
    this.shed();
    const next = this.next();
    if (next !== null || this.closed || signal?.aborted === true) return Promise.resolve(next);
    return new Promise((resolve) => {
      const reader = (found: Waiting | null): void => {
        signal?.removeEventListener('abort', abort);
        resolve(found);
      };
      const abort = (): void => {
        this.readers = this.readers.filter((other) => other !== reader);
        reader(null);
      };
      signal?.addEventListener('abort', abort, { once: true });
      this.readers.push(reader);
    });
  }

  /** Forgets a stream that ended: what waits of it, and its figures. */
  forget(streamId: string): void {
    for (const { utterance } of this.lanes.get(streamId) ?? []) this.subtract(utterance);
    this.lanes.delete(streamId);
    this.coverages.delete(streamId);
  }

  /** Wakes every reader with null; what waits is thrown away. */
  close(): void {
    this.closed = true;
    for (const reader of this.readers) reader(null);
    this.readers = [];
    this.lanes.clear();
    this.waiting = 0;
    this.soundMs = 0;
  }

  private next(): Waiting | null {
    for (const [streamId, lane] of this.lanes) {
      this.lanes.delete(streamId);
      const found = lane.shift();
      if (lane.length > 0) this.lanes.set(streamId, lane);
      if (found === undefined) continue;
      this.subtract(found.utterance);
      return found;
    }
    return null;
  }

  private shed(): void {
    const { maxLagMs, maxWaiting, maxSoundMs } = this.limits;
    for (let oldest = this.oldest(); oldest !== null; oldest = this.oldest()) {
      if (this.now() - oldest.queuedAt <= maxLagMs) break;
      this.drop(oldest.streamId);
    }
    // Too much within the time: the stream with the most waiting gives way.
    while (this.waiting > maxWaiting || this.soundMs > maxSoundMs) {
      const [longest] = [...this.lanes].reduce((most, lane) => (lane[1].length > most[1].length ? lane : most));
      this.drop(longest);
    }
  }

  private drop(streamId: string): void {
    const lane = this.lanes.get(streamId);
    const dropped = lane?.shift();
    if (dropped === undefined || lane === undefined) return;
    if (lane.length === 0) this.lanes.delete(streamId);
    this.subtract(dropped.utterance);
    const coverage = this.coverages.get(streamId);
    if (coverage !== undefined) {
      coverage.dropped += 1;
      coverage.droppedMs += durationOf(dropped.utterance.pcm);
    }
    this.onDropped(dropped);
  }

  private subtract(utterance: Utterance): void {
    this.waiting -= 1;
    this.soundMs -= durationOf(utterance.pcm);
  }

  private oldest(): Waiting | null {
    let oldest: Waiting | null = null;
    for (const [first] of this.lanes.values()) {
      if (first !== undefined && (oldest === null || first.queuedAt < oldest.queuedAt)) oldest = first;
    }
    return oldest;
  }
}
