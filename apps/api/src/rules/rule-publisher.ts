import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { within } from '#libs/bus/deadline.js';
import { RuleBoard } from '#libs/bus/rule-board.js';
import { messageOf } from '#libs/errors/app-error.js';
import type { Logger } from '#libs/observability/logger.js';
import { AppEvents } from '../events/app-events.js';
import { LOGGER } from '../runtime.module.js';
import { RuleSetRepository } from './rule-set.repository.js';

/** Redis is waited for so long at most for a short answer, and for taking a whole rule set, in ms. */
const SHORT_PATIENCE_MS = 1_500;
const LONG_PATIENCE_MS = 10_000;
/** A request that changed a rule waits so long at most until the monitors have it; it reaches them all the same. */
const REQUEST_PATIENCE_MS = 1_500;
/** Times in a row that the rules are put up because they changed meanwhile; then the next change or look goes on. */
const MOST_ROUNDS = 5;

/**
 * The way of the rules to the monitors. One run at a time; what changes during a run is taken by one further run, so
 * a burst of changes costs two of them.
 */
@Injectable()
export class RulePublisher implements OnApplicationBootstrap, OnModuleDestroy {
  private running: Promise<void> | null = null;
  private next: Promise<void> | null = null;
  private unsubscribe: (() => void) | undefined;

  constructor(
    private readonly ruleSets: RuleSetRepository,
    private readonly board: RuleBoard,
    private readonly events: AppEvents,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  onApplicationBootstrap(): void {
    this.unsubscribe = this.events.on('stream.changed', ({ change }) => {
      // Its zones are gone with it.
      if (change === 'deleted') void this.changed();
    });
  }

  async onModuleDestroy(): Promise<void> {
    this.unsubscribe?.();
    await Promise.allSettled([this.running, this.next]);
  }

  /** To be called after the commit of a change; never rejects, for the change stands whatever Redis does. */
  async changed(): Promise<void> {
    this.events.emit('rules.changed', {});
    const published = this.putUp().catch((error: unknown) => {
      this.logger.warn({ error: messageOf(error) }, 'the rules reach the monitors when Redis is back');
    });
    await within(REQUEST_PATIENCE_MS, published).catch(() => undefined);
  }

  /**
   * Puts the rules on the board unless the same ones are there; what was committed before the call is up afterwards.
   * @throws when Redis or Postgres is away.
   */
  putUp(): Promise<void> {
    if (this.running === null) return this.begin();
    // The one that runs may have read the rules before this change: one more, for all who ask meanwhile.
    this.next ??= this.running
      .catch(() => undefined)
      .then(() => {
        this.next = null;
        return this.begin();
      });
    return this.next;
  }

  private begin(): Promise<void> {
    const run = this.publish().finally(() => {
      this.running = null;
    });
    this.running = run;
    return run;
  }

  private async publish(): Promise<void> {
    for (let round = 0; round < MOST_ROUNDS; round += 1) {
      // Looked at again after each time: another process may have put an older set over a newer one.
      const version = await this.ruleSets.version();
      if ((await within(SHORT_PATIENCE_MS, this.board.version())) === version) return;
      const rules = await this.ruleSets.ruleSet();
      await within(LONG_PATIENCE_MS, this.board.put(rules));
    }
  }
}
