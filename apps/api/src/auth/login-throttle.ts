import { createHash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { AttemptCounter, type Attempts } from '#libs/bus/attempt-counter.js';
import { tooManyAttempts } from './auth.errors.js';

const WINDOW_MS = 5 * 60_000;
/** Attempts in one window before the next is refused; a success clears the account's. */
const LIMITS = { account: 10, address: 50 } as const;
/** Keys counted in this process at most while Redis is away. */
const MOST_KEYS = 10_000;

/** Counts the way {@link AttemptCounter} does, in this process alone. */
export class LocalAttempts {
  private readonly windows = new Map<string, { count: number; endsAt: number }>();

  constructor(private readonly now: () => number = Date.now) {}

  increment(key: string, windowMs: number): Attempts {
    const now = this.now();
    const known = this.windows.get(key);
    const window = known !== undefined && known.endsAt > now ? known : { count: 0, endsAt: now + windowMs };
    window.count += 1;
    this.windows.delete(key);
    this.windows.set(key, window);
    const [oldest] = this.windows.keys();
    if (this.windows.size > MOST_KEYS && oldest !== undefined) this.windows.delete(oldest);
    return { count: window.count, resetMs: window.endsAt - now };
  }

  reset(key: string): void {
    this.windows.delete(key);
  }

  forgive(key: string): void {
    const window = this.windows.get(key);
    if (window !== undefined) window.count -= 1;
  }
}

/** Slows guessing of passwords down: so many attempts for an account and from an address, then a pause. */
@Injectable()
export class LoginThrottle {
  private readonly local = new LocalAttempts();

  constructor(
    @Inject(AttemptCounter) private readonly shared: Pick<AttemptCounter, 'increment' | 'reset' | 'forgive'>,
  ) {}

  /** Counts an attempt. @throws AppError `auth.too_many` when there were too many. */
  async attempt(account: string, address: string): Promise<void> {
    const keys = [
      [accountKey(account), LIMITS.account],
      [`address:${address}`, LIMITS.address],
    ] as const;
    for (const [key, limit] of keys) {
      const { count, resetMs } = await this.shared
        .increment(key, WINDOW_MS)
        .catch(() => this.local.increment(key, WINDOW_MS));
      if (count > limit) throw tooManyAttempts(resetMs / 1_000);
    }
  }

  /** The account's owner is here: its failures are forgotten, and this attempt is not the address's. */
  async succeeded(account: string, address: string): Promise<void> {
    const key = accountKey(account);
    this.local.reset(key);
    this.local.forgive(`address:${address}`);
    await this.shared.reset(key).catch(() => undefined);
    await this.shared.forgive(`address:${address}`).catch(() => undefined);
  }
}

// Hashed: what people type as a user name is sometimes their password.
function accountKey(account: string): string {
  return `account:${createHash('sha256').update(account.toLowerCase()).digest('hex').slice(0, 32)}`;
}
