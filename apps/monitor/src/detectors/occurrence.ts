/** How long a state must last before it counts, ms of stream time. */
export interface Patience {
  openAfterMs: number;
  closeAfterMs: number;
}

/** What a moment changed: an occurrence was confirmed or is over. */
export type Turn = { opened: number } | { closed: number; began: number };

/**
 * One state that comes and goes, with hysteresis in time: it opens once the condition has held for `openAfterMs`, and
 * closes once its opposite has held for `closeAfterMs`. Between the two thresholds nothing changes.
 */
export class Occurrence {
  private onSinceMs: number | null = null;
  private offSinceMs: number | null = null;
  private beganMs: number | null = null;

  constructor(private readonly patience: Patience) {}

  get isOpen(): boolean {
    return this.beganMs !== null;
  }

  /** Takes a stretch of stream time throughout which the condition was met, clearly not met, or neither. */
  add(fromMs: number, toMs: number, condition: 'on' | 'off' | 'between'): Turn | null {
    this.onSinceMs = condition === 'on' ? (this.onSinceMs ?? fromMs) : condition === 'off' ? null : this.onSinceMs;
    this.offSinceMs = condition === 'off' ? (this.offSinceMs ?? fromMs) : condition === 'on' ? null : this.offSinceMs;
    if (this.beganMs === null) {
      if (condition !== 'on' || this.onSinceMs === null) return null;
      if (toMs - this.onSinceMs < this.patience.openAfterMs) return null;
      this.beganMs = this.onSinceMs;
      return { opened: this.beganMs };
    }
    if (condition !== 'off' || this.offSinceMs === null) return null;
    if (toMs - this.offSinceMs < this.patience.closeAfterMs) return null;
    return this.end(this.offSinceMs);
  }

  /** Nothing is known of what follows: ends what is open. */
  end(atMs: number): Turn | null {
    const began = this.beganMs;
    this.onSinceMs = null;
    this.offSinceMs = null;
    this.beganMs = null;
    return began === null ? null : { closed: Math.max(atMs, began), began };
  }
}
