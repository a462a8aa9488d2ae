import { durationOf, follows, SAMPLE_RATE, type SoundPiece } from './pcm.js';

/** Sound that is kept of a stream, ms: 480 kB. */
export const RECENT_MS = 15_000;

/**
 * The last of a stream's sound without a gap, in a ring that does not grow: the evidence of what has no utterance of its
 * own. After a gap it begins anew, for sound from before it would seem to belong to what follows.
 */
export class RecentSound {
  private ring: Int16Array | null = null;
  /** Where the next sample goes, and how many are held. */
  private next = 0;
  private held = 0;
  private endMs = 0;

  constructor(private readonly mostMs = RECENT_MS) {}

  /** Takes the next piece. */
  add({ startMs, samples }: SoundPiece): void {
    // Not taken before there is any sound: a stream may have none.
    const ring = (this.ring ??= new Int16Array((this.mostMs * SAMPLE_RATE) / 1_000));
    if (this.held > 0 && !follows(startMs, this.endMs)) this.held = 0;
    this.endMs = startMs + durationOf(samples);
    const fitting = samples.subarray(Math.max(0, samples.length - ring.length));
    const upToEnd = fitting.subarray(0, ring.length - this.next);
    ring.set(upToEnd, this.next);
    ring.set(fitting.subarray(upToEnd.length), 0);
    this.next = (this.next + fitting.length) % ring.length;
    this.held = Math.min(ring.length, this.held + fitting.length);
  }

  /** A copy of what is held, oldest first; null when nothing is. */
  take(): Int16Array | null {
    const { ring, next, held } = this;
    if (ring === null || held === 0) return null;
    const from = (next - held + ring.length) % ring.length;
    const taken = new Int16Array(held);
    const upToEnd = ring.subarray(from, Math.min(ring.length, from + held));
    taken.set(upToEnd);
    taken.set(ring.subarray(0, held - upToEnd.length), upToEnd.length);
    return taken;
  }
}
