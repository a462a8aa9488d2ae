import { messageOf } from '#libs/errors/app-error.js';

/** Does something for keys that come often: once for each in so long, however often it came. */
export class Paced {
  private readonly due = new Set<string>();
  private timer: NodeJS.Timeout | undefined;

  /**
   * @param work for all keys that came. @param failed what hears of its failure.
   * @param paceMs time from the first key to the work.
   */
  constructor(
    private readonly work: (keys: string[]) => Promise<void>,
    private readonly failed: (fault: string) => void,
    private readonly paceMs = 1_000,
  ) {}

  /** Bounded by the number of different keys. */
  add(key: string): void {
    this.due.add(key);
    this.timer ??= setTimeout(() => void this.run(), this.paceMs);
  }

  stop(): void {
    clearTimeout(this.timer);
    this.due.clear();
  }

  private async run(): Promise<void> {
    const keys = [...this.due];
    this.due.clear();
    this.timer = undefined;
    try {
      await this.work(keys);
    } catch (error) {
      this.failed(messageOf(error));
    }
  }
}
