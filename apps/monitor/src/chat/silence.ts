import type { Clock } from '../capture/clock.js';

/** Tells when a chat that should speak does not: connected, picture live, no message for so long. */
export class Silence {
  /** Whether it is silent now. */
  silent = false;
  private cancel: (() => void) | null = null;
  private heardAt = 0;

  /** @param onChange called when `silent` has changed */
  constructor(
    private readonly afterMs: number,
    private readonly clock: Clock,
    private readonly onChange: () => void,
  ) {}

  /** Starts to wait, or stops: silence means something only while both chat and picture are live. */
  expect(speech: boolean): void {
    if (speech === (this.cancel !== null || this.silent)) return;
    this.cancel?.();
    this.cancel = null;
    this.set(false);
    if (!speech) return;
    this.heardAt = this.clock.now();
    this.arm(this.afterMs);
  }

  /** A message came. */
  heard(): void {
    this.heardAt = this.clock.now();
    if (!this.silent) return;
    this.arm(this.afterMs);
    this.set(false);
  }

  /** One timer looks after all messages: to set one anew for each would cost more than the message. */
  private arm(ms: number): void {
    this.cancel = this.clock.after(ms, () => {
      this.cancel = null;
      const left = this.heardAt + this.afterMs - this.clock.now();
      if (left > 0) this.arm(left);
      else this.set(true);
    });
  }

  private set(silent: boolean): void {
    if (this.silent === silent) return;
    this.silent = silent;
    this.onChange();
  }
}
