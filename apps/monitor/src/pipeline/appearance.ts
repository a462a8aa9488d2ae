import type { ObjectRule } from '#libs/contracts/captures.js';
import type { Closed, PipelineOptions, Sample } from './pipeline.types.js';

/** Samples remembered for a confirmation at most, whatever the sampling rate. */
const MOST_REMEMBERED = 64;

/**
 * An open appearance stays open on scores down to this part of its threshold. Scores of one and the same object
 * swing by some 20 % with pose and distance; with one threshold for both, a person near it would be reported anew
 * every few seconds. Opening stays strict.
 */
export const KEEP_RATIO = 0.8;

/** Slack on comparisons of scores, so that 0.45 · 0.8 counts as 0.36. */
const EPSILON = 1e-9;

/** The best score of one rule's label in one sample; null when it was not seen at all. */
export type Sighting = number | null;

interface Glimpse {
  streamTimeMs: number;
  wallTimeMs: number;
  score: Sighting;
  hit: boolean;
}

/**
 * One appearance of a label, from its first glimpse on: a candidate at first, then confirmed, then gone. Glimpses
 * before confirmation are kept in a bounded window; afterwards only sums are.
 */
export class Appearance {
  private readonly window: Glimpse[] = [];
  private misses = 0;
  private confirmed: { startedStreamMs: number; startedAt: number } | null = null;
  private lastSeen = { streamTimeMs: 0, wallTimeMs: 0 };
  private frames = 0;
  private peak = 0;

  constructor(private readonly options: PipelineOptions) {}

  /** Whether enough was seen to call it real. */
  get isConfirmed(): boolean {
    return this.confirmed !== null;
  }

  /** Whether nothing is left of it: a candidate whose glimpses all lie outside the window. */
  get isForgotten(): boolean {
    return this.confirmed === null && this.window.length === 0;
  }

  /** Whether it is confirmed and was seen in the last sample: the same picture again could only say so again. */
  get isSteady(): boolean {
    return this.confirmed !== null && this.misses === 0;
  }

  /** Where it began; only once confirmed. */
  get start(): { startedStreamMs: number; startedAt: number } | null {
    return this.confirmed;
  }

  /** Wall time of the last frame that showed it, epoch ms. */
  get seenAt(): number {
    return this.lastSeen.wallTimeMs;
  }

  /** Takes in one sample. */
  add(sample: Sample, score: Sighting, threshold: number): void {
    if (this.confirmed === null) this.consider(sample, score, threshold);
    else if (score !== null && score >= threshold * KEEP_RATIO - EPSILON) this.see(sample, score);
    else this.misses += 1;
  }

  /** Whether it has not been seen for long enough to be over. */
  isOver(streamTimeMs: number): boolean {
    return this.misses >= 2 && streamTimeMs - this.lastSeen.streamTimeMs >= this.options.absenceMs;
  }

  /** Its sum, once confirmed. */
  close(eventId: string, rule: ObjectRule): Closed {
    return {
      eventId,
      rule,
      startedStreamMs: this.confirmed?.startedStreamMs ?? this.lastSeen.streamTimeMs,
      endedStreamMs: this.lastSeen.streamTimeMs,
      endedAt: this.lastSeen.wallTimeMs,
      frames: Math.max(1, this.frames),
      peakConfidence: this.peak,
    };
  }

  private see(sample: Sample, score: number): void {
    this.misses = 0;
    this.frames += 1;
    this.peak = Math.max(this.peak, score);
    this.lastSeen = { streamTimeMs: sample.streamTimeMs, wallTimeMs: sample.wallTimeMs };
  }

  private consider(sample: Sample, score: Sighting, threshold: number): void {
    const { streamTimeMs, wallTimeMs } = sample;
    const hit = score !== null && score >= threshold - EPSILON;
    this.window.push({ streamTimeMs, wallTimeMs, score, hit });
    this.forget(streamTimeMs);
    const hits = this.window.filter((glimpse) => glimpse.hit);
    const first = hits[0];
    if (!hit || first === undefined) return;
    const { options } = this;
    const wanted = Math.max(2, options.hits, Math.ceil((this.window.length * options.hits) / options.window));
    if (hits.length < wanted || streamTimeMs - first.streamTimeMs < options.confirmMs) return;
    this.confirmed = { startedStreamMs: first.streamTimeMs, startedAt: first.wallTimeMs };
    for (const glimpse of hits) this.see({ ...sample, ...glimpse }, glimpse.score ?? 0);
    this.window.length = 0;
  }

  /** Drops glimpses that lie outside the window, and misses at its front. */
  private forget(streamTimeMs: number): void {
    const { window, options } = this;
    const isOld = (glimpse: Glimpse): boolean =>
      window.length > Math.max(2, options.window) && streamTimeMs - glimpse.streamTimeMs > options.confirmMs * 1.2;
    for (let front = window[0]; front !== undefined; front = window[0]) {
      if (front.hit && !isOld(front) && window.length <= MOST_REMEMBERED) return;
      window.shift();
    }
  }
}
