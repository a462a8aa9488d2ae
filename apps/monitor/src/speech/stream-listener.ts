import { setTimeout as wait } from 'node:timers/promises';
import type { SoundChunk } from '../capture/sound-chunks.js';
import { SoundRules, type SoundEvent, type SoundKind } from '../detectors/sound/sound-rules.js';
import { soundSample } from '../detectors/sound/sound-sample.js';
import { durationOf, samplesOf } from './pcm.js';
import { RecentSound } from './recent-sound.js';
import { StreamEar, type Voice } from './stream-ear.js';
import type { Utterance } from './utterance-cutter.js';

/** What a listener is made of. */
export interface ListenerParts {
  streamId: string;
  voice: Voice;
  onSound: (event: SoundEvent) => void;
  /** Takes each utterance; `Transcriber.offer` of the stream. */
  onUtterance: (utterance: Utterance) => void;
  rules?: SoundRules;
}

/** What a stream's sound amounted to so far. */
export interface ListenerFigures {
  /** Sound heard, ms. */
  heardMs: number;
  /** Of it speech, ms. */
  speechMs: number;
  /** Sound that the voice detector could not judge, ms. */
  unheardMs: number;
  /** Which sound rules have an occurrence that lasts. */
  open: SoundKind[];
}

/** A step of the source's clock beyond this is a jump, of which the pictures have not told yet, ms. */
const JUMP_MS = 60_000;
const SPEECH = 0.5;
/** How often it is looked whether all was heard, ms. */
const POLL_MS = 2;

/** Listens to one stream, across restarts of its capture: sound rules and utterances, in the stream's own time. */
export class StreamListener {
  private readonly ear: StreamEar;
  private readonly rules: SoundRules;
  private readonly newest = new RecentSound();
  /** A moment in both clocks, from the newest picture. */
  private mark: { ptsMs: number; streamTimeMs: number } | null = null;
  private nextMs: number | null = null;
  /** Whether all that has come was heard: the next chunk is waited for, or nobody listens. */
  private idle = true;
  private heardMs = 0;
  private speechMs = 0;
  private unheardMs = 0;

  constructor(private readonly parts: ListenerParts) {
    this.ear = new StreamEar(parts.streamId, parts.voice);
    this.rules = parts.rules ?? new SoundRules();
  }

  figures(): ListenerFigures {
    const { heardMs, speechMs, unheardMs } = this;
    return { heardMs, speechMs, unheardMs, open: this.rules.open() };
  }

  /** A copy of the last seconds of sound; null before there is any. */
  recent(): Int16Array | null {
    return this.newest.take();
  }

  /** Tells where a picture stands in both clocks; sound before the first one has no place and is left out. */
  sync(ptsMs: number, streamTimeMs: number): void {
    // What was not sent between two runs is not missed.
    const first = this.mark === null;
    this.mark = { ptsMs, streamTimeMs };
    if (first) this.tell(this.rules.resume(streamTimeMs));
    else if (this.idle) this.tell(this.rules.tick(streamTimeMs));
  }

  /**
   * Resolves once all sound that has come was heard, or after `mostMs`: pictures of a burst, or of a file, would
   * otherwise run ahead of sound that is there, and it would seem to be missing.
   */
  async caughtUp(mostMs = 1_000): Promise<void> {
    const end = performance.now() + mostMs;
    do await wait(POLL_MS);
    while (!this.idle && performance.now() < end);
  }

  /** Listens to one run of the capture, to its end. */
  async listen(sound: AsyncIterable<SoundChunk>): Promise<void> {
    this.mark = null;
    this.nextMs = null;
    try {
      for await (const chunk of this.noting(sound)) await this.hear(chunk);
    } finally {
      this.idle = true;
    }
    this.ear.end().forEach(this.parts.onUtterance);
  }

  /** The session is over: ends what lasts. */
  end(streamTimeMs: number): void {
    this.tell(this.rules.close(streamTimeMs));
  }

  private async *noting(sound: AsyncIterable<SoundChunk>): AsyncGenerator<SoundChunk, void, void> {
    for await (const chunk of sound) {
      this.idle = false;
      yield chunk;
      this.idle = true;
    }
  }

  private async hear({ ptsMs, bytes }: SoundChunk): Promise<void> {
    const samples = samplesOf(bytes);
    const startMs = this.place(ptsMs);
    if (startMs === null) return;
    this.nextMs = startMs + durationOf(samples);
    const { frames, utterances } = await this.ear.hear({ startMs, samples });
    for (const frame of frames) {
      const ms = durationOf(frame.samples);
      this.heardMs += ms;
      this.newest.add(frame);
      if (frame.speech === null) this.unheardMs += ms;
      else if (frame.speech >= SPEECH) this.speechMs += ms;
      this.tell(this.rules.hear(soundSample(frame)));
    }
    utterances.forEach(this.parts.onUtterance);
  }

  /** Stream time of a chunk; where its own clock cannot be used it follows the one before. */
  private place(ptsMs: number | null): number | null {
    if (this.mark === null) return null;
    const byClock = ptsMs === null ? null : this.mark.streamTimeMs + ptsMs - this.mark.ptsMs;
    const next = this.nextMs ?? this.mark.streamTimeMs;
    return byClock === null || Math.abs(byClock - next) > JUMP_MS ? next : byClock;
  }

  private tell(events: readonly SoundEvent[]): void {
    events.forEach(this.parts.onSound);
  }
}
