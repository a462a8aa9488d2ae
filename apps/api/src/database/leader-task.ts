import { messageOf } from '#libs/errors/app-error.js';
import type { Logger } from '#libs/observability/logger.js';
import { LeaderLock } from './leader-lock.js';

/** What one process among all does again and again. */
export interface LeaderTaskParts {
  /** Of the database whose lock decides. */
  databaseUrl: string;
  /** One of `ADVISORY_LOCKS`. */
  key: number;
  /** From the end of one turn to the next, and before the first, ms. */
  everyMs: number;
  firstMs?: number;
  /**
   * One turn. What it throws is logged, one line for each new kind of fault, and tried again with the next.
   * @param signal aborts when the process ends, or when the lock is lost: another process may have begun
   * @param leadingSince since when this process leads, epoch ms
   */
  turn: (signal: AbortSignal, leadingSince: number) => Promise<void>;
  /** What the log says when a turn fails. */
  complaint: string;
  logger: Logger;
}

/** Does something from time to time in one process among all on a database; another goes on when this one ends. */
export class LeaderTask {
  private readonly lock: LeaderLock;
  private readonly stopping = new AbortController();
  private timer: NodeJS.Timeout | undefined;
  private turning: Promise<void> = Promise.resolve();
  private lost = new AbortController();
  private leadingSince = 0;
  private lastFault = '';

  constructor(private readonly parts: LeaderTaskParts) {
    this.lock = new LeaderLock(parts.databaseUrl, parts.key, parts.logger);
  }

  start(): void {
    this.schedule(this.parts.firstMs ?? 0);
  }

  /** Ends after the turn at hand, and gives the lock up. Call before the data source closes. */
  async stop(): Promise<void> {
    this.stopping.abort();
    clearTimeout(this.timer);
    await this.turning;
    await this.lock.release();
  }

  private schedule(ms: number): void {
    if (this.stopping.signal.aborted) return;
    this.timer = setTimeout(() => {
      this.turning = this.turn().finally(() => this.schedule(this.parts.everyMs));
    }, ms);
  }

  /** Never rejects. */
  private async turn(): Promise<void> {
    const { turn, logger, complaint } = this.parts;
    try {
      if (!this.lock.isHeld) {
        const lost = new AbortController();
        if (!(await this.lock.tryAcquire(() => lost.abort()))) return;
        this.lost = lost;
        this.leadingSince = Date.now();
      }
      if (!(await this.lock.check())) return;
      await turn(AbortSignal.any([this.stopping.signal, this.lost.signal]), this.leadingSince);
      this.lastFault = '';
    } catch (error) {
      const fault = messageOf(error);
      // One line for each new kind of fault, not one for each try.
      if (fault !== this.lastFault) logger.warn({ fault }, complaint);
      this.lastFault = fault;
    }
  }
}
