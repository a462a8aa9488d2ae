import { AppError } from '#libs/errors/app-error.js';

/** When to come again, in seconds; a full queue is worked off sooner. */
const RETRY_AFTER_SECONDS = 5;

/** Lets a bounded number of works run at once and a bounded number wait, first come, first served. */
export class Turns {
  private running = 0;
  private readonly waiting: (() => void)[] = [];

  constructor(
    private readonly concurrency: number,
    private readonly mostWaiting: number,
    private readonly busy: () => AppError = signInsBusy,
  ) {}

  /** @throws AppError of `busy`, `auth.busy` (503) unless it says otherwise, when too many wait already. */
  async take<T>(work: () => Promise<T>): Promise<T> {
    if (this.running >= this.concurrency) {
      if (this.waiting.length >= this.mostWaiting) throw this.busy();
      // Whoever finishes hands over its place, so `running` does not change here.
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    } else this.running += 1;
    try {
      return await work();
    } finally {
      const next = this.waiting.shift();
      if (next === undefined) this.running -= 1;
      else next();
    }
  }
}

function signInsBusy(): AppError {
  return new AppError('auth.busy', 'operational', 'Too many sign-ins at once: try again in some seconds.', {
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  });
}
