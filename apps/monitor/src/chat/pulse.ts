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

/** What the silence of a connection means. */
export interface HearingOptions {
  /** The longest silence that a living server allows itself, ms; asked anew each time, for the server may change it. */
  quietMs: () => number;
  clock: Clock;
  dead: () => void;
}

/** For servers that speak at fixed times and want to hear nothing: dead is who has been silent for too long. */
export class Hearing {
  private cancel: () => void = () => undefined;
  private heardAt = 0;

  constructor(private readonly options: HearingOptions) {}

  /** Silence counts from now on. */
  start(): void {
    this.beat();
    this.wait(this.options.quietMs());
  }

  /** Something came. */
  beat(): void {
    this.heardAt = this.options.clock.now();
  }

  stop(): void {
    this.cancel();
    this.cancel = (): void => undefined;
  }

  /** One timer looks after everything that comes: to set one anew each time would cost more than the frame. */
  private wait(ms: number): void {
    const { clock, quietMs, dead } = this.options;
    this.cancel();
    this.cancel = clock.after(ms, () => {
      const left = this.heardAt + quietMs() - clock.now();
      if (left > 0) this.wait(left);
      else dead();
    });
  }
}
