import { createHash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { AttemptCounter, type Attempts } from '#libs/bus/attempt-counter.js';
import { tooManyAttempts } from './auth.errors.js';

const WINDOW_MS = 5 * 60_000;
/** Attempts in one window before the next is refused; a success clears the account's. */
const LIMITS = { account: 10, address: 50 } as const;
/** What else an anonymous address may do in one window, and how often. */
const SPENDABLE = { check: 30, code: 20, recover: 20, register: 20 } as const;
/** Reset codes asked for one account in one window at most, from wherever. */
const MOST_RECOVERIES = 5;
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
    await this.count(accountKey(account), LIMITS.account);
    await this.count(addressKey(address), LIMITS.address);
  }

  /**
   * Counts something else that an anonymous address does, and for `recover` the account it is about.
   * @throws AppError `auth.too_many` when there was too much of it.
   */
  async spend(what: keyof typeof SPENDABLE, address: string, account?: string): Promise<void> {
    await this.count(`${what}:${addressKey(address)}`, SPENDABLE[what]);
    if (account !== undefined) await this.count(`${what}:${accountKey(account)}`, MOST_RECOVERIES);
  }

  /** Forgets the failures of accounts whose owner is here by another way. */
  async forget(...accounts: readonly string[]): Promise<void> {
    for (const key of accounts.map(accountKey)) {
      this.local.reset(key);
      await this.shared.reset(key).catch(() => undefined);
    }
  }

  /** The account's owner is here: its failures are forgotten, and this attempt is not the address's. */
  async succeeded(account: string, address: string): Promise<void> {
    await this.forget(account);
    this.local.forgive(addressKey(address));
    await this.shared.forgive(addressKey(address)).catch(() => undefined);
  }

  private async count(key: string, limit: number): Promise<void> {
    const { count, resetMs } = await this.shared
      .increment(key, WINDOW_MS)
      .catch(() => this.local.increment(key, WINDOW_MS));
    if (count > limit) throw tooManyAttempts(resetMs / 1_000);
  }
}

// Whoever has one IPv6 address has the 2^64 of its network.
function addressKey(address: string): string {
  const v4 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (v4 !== undefined || !address.includes(':')) return `address:${v4 ?? address}`;
  const [head = '', tail] = address.split('%', 1)[0]?.split('::') ?? [];
  const first = head === '' ? [] : head.split(':');
  const last = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = Array<string>(Math.max(0, 8 - first.length - last.length)).fill('0');
  const groups = [...first, ...zeros, ...last].slice(0, 4).map((group) => group.toLowerCase().replace(/^0+(?=.)/, ''));
  return `address:${groups.join(':')}::/64`;
}

// Hashed: what people type as a user name is sometimes their password.
function accountKey(account: string): string {
  return `account:${createHash('sha256').update(account.toLowerCase()).digest('hex').slice(0, 32)}`;
}
