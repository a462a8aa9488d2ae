import type { HintSubscriber } from '#libs/bus/channels.js';
import { RulesHint, type RuleBoard } from '#libs/bus/rule-board.js';
import type { ObjectRule, RuleSet } from '#libs/contracts/captures.js';
import { CHANNELS } from '#libs/contracts/names.js';
import { messageOf } from '#libs/errors/app-error.js';
import type { Logger } from '#libs/observability/logger.js';

/** How often the board is read without a hint, ms. */
const POLL_MS = 10_000;

/** The watch list as the api last put it up. Keeps what it has when Redis is away or wiped. */
export class RuleWatch {
  private rules: RuleSet = { v: 1, version: 0, objects: [], keywords: [], zones: [], signals: [] };
  private timer: NodeJS.Timeout | null = null;

  constructor(
    private readonly board: Pick<RuleBoard, 'get'>,
    private readonly logger: Logger,
  ) {}

  get objects(): readonly ObjectRule[] {
    return this.rules.objects;
  }

  /** Reads the board, then follows hints and reads again now and then. */
  async start(subscriber: HintSubscriber): Promise<void> {
    await subscriber.on(CHANNELS.rules, RulesHint, () => void this.refresh());
    await this.refresh();
    this.timer = setInterval(() => void this.refresh(), POLL_MS);
  }

  stop(): void {
    if (this.timer !== null) clearInterval(this.timer);
  }

  private async refresh(): Promise<void> {
    try {
      const rules = await this.board.get();
      if (rules === null || rules.version === this.rules.version) return;
      this.rules = rules;
      this.logger.info({ version: rules.version, objects: rules.objects.length }, 'watch list read');
    } catch (error) {
      this.logger.warn({ error: messageOf(error) }, 'the watch list could not be read; the last one stays in force');
    }
  }
}
