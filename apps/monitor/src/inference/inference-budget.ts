import { allocate } from './allocation.js';

/** A stream is hot for so long after something was found on it, ms. */
const HOT_MS = 60_000;
/** How often what everybody gets is worked out anew, ms. */
const ROUND_MS = 1_000;
/** Inspections that a stream may save up, and that scene cuts may take in advance. */
const [MOST_SAVED, MOST_OWED] = [1.5, 1];
/** How much one interval between frames counts in the running mean of them. */
const FRESH = 0.2;
/** A stream that gets so much of what it brings is not short of anything: intervals are never quite even. */
const ENOUGH = 0.95;

/** One stream's part of the budget. */
export interface StreamBudget {
  /** Frames per second that it may have inspected; null while it is not short. */
  readonly granted: number | null;
  /**
   * Whether a frame that has just come may be inspected. Called once for each.
   * @param isCut the picture is another one than before: its inspection is advanced
   */
  take(isCut: boolean): boolean;
  /** A frame came that needs no inspection. */
  skip(): void;
  /** Something was found. */
  hit(): void;
  close(): void;
}

interface Account {
  id: string;
  priority: number;
  /** Frames per second at most. */
  nominal: number;
  intervalMs: number | null;
  lastFrameAt: number | null;
  hitAt: number;
  rate: number;
  /** Whether it got less than it wanted when that was worked out last. */
  isShort: boolean;
  saved: number;
  savedAt: number;
}

/**
 * The one budget of inferences of a monitor: what its models manage in a second, shared by priority and by what was
 * found lately. While there is enough for all, nobody is held back; beyond that each stream has a token bucket.
 */
export class InferenceBudget {
  private readonly accounts = new Set<Account>();
  private roundAt = -Infinity;
  private nextId = 0;

  /**
   * @param measured inferences per second that the models manage; null while that is not known
   * @param now any clock that does not run backwards, ms
   */
  constructor(
    private readonly measured: () => number | null,
    private readonly now: () => number,
  ) {}

  /** Inferences per second that are shared; null while that is not known. */
  get perSecond(): number | null {
    return this.measured();
  }

  /** Inferences per second that are granted now. */
  get granted(): number {
    return [...this.accounts].reduce((sum, { rate }) => sum + rate, 0);
  }

  /** Lets a stream in. @param nominalPerSecond frames per second that it brings at most */
  open(priority: number, nominalPerSecond: number): StreamBudget {
    const account: Account = {
      ...{ id: String((this.nextId += 1)), priority, nominal: nominalPerSecond, intervalMs: null, lastFrameAt: null },
      ...{ hitAt: -Infinity, rate: nominalPerSecond, isShort: false, saved: 1, savedAt: this.now() },
    };
    this.accounts.add(account);
    this.roundAt = -Infinity;
    const granted = (): number | null => (account.isShort ? account.rate : null);
    return {
      get granted() {
        return granted();
      },
      take: (isCut) => this.take(account, isCut),
      skip: () => this.arrived(account),
      hit: () => {
        account.hitAt = this.now();
      },
      close: () => {
        this.accounts.delete(account);
        this.roundAt = -Infinity;
      },
    };
  }

  private take(account: Account, isCut: boolean): boolean {
    this.arrived(account);
    this.share();
    const now = this.now();
    account.saved = Math.min(MOST_SAVED, account.saved + (account.rate * (now - account.savedAt)) / 1_000);
    account.savedAt = now;
    if (account.isShort && account.saved < (isCut ? 1 - MOST_OWED : 1)) return false;
    account.saved = Math.max(-MOST_OWED, account.saved - 1);
    return true;
  }

  private arrived(account: Account): void {
    const now = this.now();
    if (account.lastFrameAt !== null) {
      const interval = Math.max(1, now - account.lastFrameAt);
      account.intervalMs = account.intervalMs === null ? interval : account.intervalMs * (1 - FRESH) + interval * FRESH;
    }
    account.lastFrameAt = now;
  }

  /** What a stream brings: its frames, and a little more, for they may come faster soon. */
  private wantedOf({ nominal, intervalMs }: Account): number {
    return intervalMs === null ? nominal : Math.min(nominal, 1_100 / intervalMs);
  }

  private share(): void {
    const now = this.now();
    if (now - this.roundAt < ROUND_MS) return;
    this.roundAt = now;
    const claimants = [...this.accounts].map((account) => ({
      ...{ id: account.id, priority: account.priority, wanted: this.wantedOf(account) },
      isHot: now - account.hitAt < HOT_MS,
    }));
    const rates = allocate(this.measured() ?? Infinity, claimants);
    for (const account of this.accounts) {
      account.rate = rates.get(account.id) ?? 0;
      account.isShort = account.rate < this.wantedOf(account) * ENOUGH;
    }
  }
}
