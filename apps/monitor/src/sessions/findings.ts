import type { ChatLine } from '#libs/contracts/chat.js';
import { messageOf } from '#libs/errors/app-error.js';
import type { Logger } from '#libs/observability/logger.js';
import type { FindingSink, HeardFinding, ReadFinding, Transcript } from '../pipeline/finding.types.js';

/** Findings that may wait to be recorded; what follows on them may be as much again. */
const MOST_WAITING = 500;

/**
 * What one session found, on its way to where it is kept. Nothing waits for the disk here, and not more than a bounded
 * number of records is under way: beyond it a new finding gives way, and is counted.
 */
export class Findings {
  /** Findings that gave way. */
  dropped = 0;
  private readonly waiting = new Set<Promise<unknown>>();

  constructor(
    private readonly sink: FindingSink,
    private readonly logger: Logger,
    private readonly most = MOST_WAITING,
  ) {}

  /** Records a finding. @returns whether it is safe; false at once when too many wait */
  found(finding: HeardFinding | ReadFinding): Promise<boolean> {
    if (this.waiting.size >= this.most) {
      this.dropped += 1;
      return Promise.resolve(false);
    }
    return this.keep(() => this.sink.found(finding), finding.eventId);
  }

  /**
   * Records the end of what was found. Never gives way: an end belongs to every beginning.
   * @param found what {@link found} said of it: of what is not safe there is no end
   */
  over(eventId: string, endedAt: number, found: Promise<boolean>): void {
    void this.keep(async () => {
      if (await found) await this.sink.over(eventId, endedAt);
    }, eventId);
  }

  /** Records what was written after a line that was found. @param found as for {@link over} */
  followed(eventId: string, after: readonly ChatLine[], found: Promise<boolean>): void {
    if (this.waiting.size >= this.most * 2) return;
    void this.keep(async () => {
      if (await found) await this.sink.followed(eventId, after);
    }, eventId);
  }

  /** Records what was said. */
  written(transcript: Transcript): Promise<boolean> {
    if (this.waiting.size >= this.most) {
      this.dropped += 1;
      return Promise.resolve(false);
    }
    return this.keep(() => this.sink.written(transcript), transcript.segmentId);
  }

  /** Resolves when nothing waits any more. */
  async settled(): Promise<void> {
    while (this.waiting.size > 0) await Promise.allSettled(this.waiting);
  }

  private async keep(record: () => Promise<void>, id: string): Promise<boolean> {
    const recording = record();
    this.waiting.add(recording);
    try {
      await recording;
      return true;
    } catch (error) {
      this.logger.error({ id, error: messageOf(error) }, 'a finding could not be kept');
      return false;
    } finally {
      this.waiting.delete(recording);
    }
  }
}
