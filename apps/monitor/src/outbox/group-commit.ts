import type { AppError } from '#libs/errors/app-error.js';

/** Something to be written, and who waits for it. */
export interface Waiting {
  json: string;
  evidenceBytes: number;
  resolve: (seq: number) => void;
  reject: (error: AppError) => void;
}

/**
 * Lets everybody who waits for the disk share one sync: while a group is written the next one gathers.
 * Groups are written one after another, in the order of arrival.
 */
export class GroupCommit {
  private waiting: Waiting[] = [];
  private writing: Promise<void> | null = null;

  /**
   * @param write writes a group with one sync and returns its first sequence number.
   * @param fail is told of a group that could not be written, and says what its callers get.
   */
  constructor(
    private readonly write: (group: readonly Waiting[]) => Promise<number>,
    private readonly fail: (error: unknown, count: number) => AppError,
    private readonly mostBytes: number,
  ) {}

  /** How many wait for the next group. */
  get size(): number {
    return this.waiting.length;
  }

  /** @returns the sequence number, once it is on the disk. */
  add(json: string, evidenceBytes: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ json, evidenceBytes, resolve, reject });
      this.writing ??= this.drain();
    });
  }

  /** Resolves when nobody waits any more. */
  async settled(): Promise<void> {
    await this.writing;
  }

  private async drain(): Promise<void> {
    // Whoever adds within the same turn shares the first sync already.
    await Promise.resolve();
    while (this.waiting.length > 0) {
      const group = this.take();
      try {
        const first = await this.write(group);
        group.forEach(({ resolve }, index) => resolve(first + index));
      } catch (error) {
        const fault = this.fail(error, group.length);
        for (const { reject } of group) reject(fault);
      }
    }
    this.writing = null;
  }

  private take(): Waiting[] {
    let bytes = 0;
    let count = 0;
    for (const { json } of this.waiting) {
      if (count > 0 && bytes + json.length > this.mostBytes) break;
      bytes += json.length;
      count += 1;
    }
    return this.waiting.splice(0, count);
  }
}
