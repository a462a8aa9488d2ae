/** A frame of sound as the rules see it. */
export interface SoundSample {
  /** Stream time of its first and after its last sample, ms. */
  startMs: number;
  endMs: number;
  /** Root mean square, dB below full scale; -Infinity for digital silence. */
  levelDbfs: number;
  /** Part of the samples at full scale, 0 to 1. */
  clipped: number;
  /** Probability of speech, 0 to 1; null when it is not known. */
  speech: number | null;
}

/** From here on a 16-bit sample counts as clipped: lossy codecs round the tops off a little. */
const FULL_SCALE = 32_600;
const SAMPLES_PER_MS = 16;

/** What the rules need of a frame of 16 kHz mono sound. */
export function soundSample(frame: {
  startMs: number;
  samples: Int16Array;
  levelDbfs: number;
  speech: number | null;
}): SoundSample {
  const { startMs, samples, levelDbfs, speech } = frame;
  let clipped = 0;
  for (const sample of samples) if (Math.abs(sample) >= FULL_SCALE) clipped += 1;
  const endMs = startMs + samples.length / SAMPLES_PER_MS;
  return { startMs, endMs, levelDbfs, speech, clipped: samples.length === 0 ? 0 : clipped / samples.length };
}

/** Mean of a figure over the last stretch of sound, in buckets so that memory does not grow with its length. */
export class SlidingMean {
  private readonly buckets: { endMs: number; sum: number; ms: number }[] = [];

  constructor(
    private readonly windowMs: number,
    private readonly bucketMs: number,
  ) {}

  add({ startMs, endMs }: SoundSample, value: number): void {
    const ms = endMs - startMs;
    const last = this.buckets.at(-1);
    if (last === undefined || last.ms >= this.bucketMs) this.buckets.push({ endMs, sum: value * ms, ms });
    else Object.assign(last, { endMs, sum: last.sum + value * ms, ms: last.ms + ms });
    while ((this.buckets[0]?.endMs ?? Infinity) <= endMs - this.windowMs) this.buckets.shift();
  }

  /** The mean; null until half the window is known, or all of it when `whole`. */
  mean(whole = false): number | null {
    const ms = this.buckets.reduce((total, bucket) => total + bucket.ms, 0);
    if (ms < this.windowMs * (whole ? 0.95 : 0.5)) return null;
    return this.buckets.reduce((total, bucket) => total + bucket.sum, 0) / ms;
  }

  clear(): void {
    this.buckets.length = 0;
  }
}
