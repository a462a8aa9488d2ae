import type { Clock } from '../capture/clock.js';

/** The beat of a connection. */
export interface PulseOptions {
  /** Time between two of our own pings, ms. */
  everyMs: number;
  /** So long after a ping with nothing heard, the connection is dead, ms. */
  deadMs: number;
  clock: Clock;
  ping: () => void;
  dead: () => void;
}

/** Finds out that the other side is gone when nothing says so, as with a half-open TCP connection. */
export class Pulse {
  private cancel: () => void = () => undefined;
  private heard = false;

  constructor(private readonly options: PulseOptions) {}

  /** Waits for the first ping. */
  start(): void {
    this.stop();
    const { everyMs, deadMs, clock, ping, dead } = this.options;
    this.cancel = clock.after(everyMs, () => {
      this.heard = false;
      this.cancel = clock.after(deadMs, () => {
        if (this.heard) this.start();
        else dead();
      });
      ping();
    });
  }

  /** Something came. */
  beat(): void {
    this.heard = true;
  }

  stop(): void {
    this.cancel();
    this.cancel = (): void => undefined;
  }
}
