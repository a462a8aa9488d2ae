import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { GrammyError, type Bot } from 'grammy';
import { messageOf } from '#libs/errors/app-error.js';
import type { Logger } from '#libs/observability/logger.js';
import { ADVISORY_LOCKS } from '../database/advisory-locks.js';
import { LeaderLock } from '../database/leader-lock.js';
import { API_SETTINGS, LOGGER, type ApiSettings } from '../runtime.module.js';
import { COMMANDS, TelegramBot } from './telegram-bot.js';
import { POLL_SECONDS, signalFor, TelegramClient } from './telegram-client.js';

/** How often the others look whether they are wanted, ms. */
const LOOK_MS = 2_000;
/** Pauses after failures in a row: doubled up to the longest, ms. */
const [FIRST_PAUSE_MS, LONGEST_PAUSE_MS] = [500, 30_000];
/** The last word to Telegram when the process ends, ms. */
const FAREWELL_MS = 1_000;

/** Asks Telegram for what people write to the bot; one process among all does. */
@Injectable()
export class TelegramProcess implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly lock: LeaderLock;
  private readonly ending = new AbortController();
  private running: Promise<void> = Promise.resolve();
  private lastFault = '';

  constructor(
    @Inject(API_SETTINGS) { DATABASE_URL }: ApiSettings,
    @Inject(LOGGER) private readonly logger: Logger,
    private readonly client: TelegramClient,
    private readonly handler: TelegramBot,
  ) {
    this.lock = new LeaderLock(DATABASE_URL, ADVISORY_LOCKS.telegramUpdates, logger);
  }

  onApplicationBootstrap(): void {
    const { bot } = this.client;
    if (bot !== null) this.running = this.run(bot);
  }

  /** Before the data source closes: the update at hand is still answered. */
  async onModuleDestroy(): Promise<void> {
    this.ending.abort();
    await this.running;
  }

  /** Never rejects. */
  private async run(bot: Bot): Promise<void> {
    const { signal } = this.ending;
    let failures = 0;
    while (!signal.aborted) {
      let pauseMs = LOOK_MS;
      try {
        const lost = new AbortController();
        if (await this.lock.tryAcquire(() => lost.abort())) {
          await this.lead(bot, AbortSignal.any([signal, lost.signal]), () => (failures = 0));
        }
      } catch (error) {
        if (!signal.aborted) this.complain(error);
        pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures);
        failures += 1;
      }
      // Whoever fared badly lets the others try.
      await this.lock.release();
      await rest(pauseMs, signal);
    }
  }

  /** Takes updates for as long as the lock is held. @throws whatever goes wrong. */
  private async lead(bot: Bot, signal: AbortSignal, well: () => void): Promise<void> {
    await this.client.introduce(signal);
    await bot.api.deleteWebhook({}, signalFor(signal));
    await bot.api.setMyCommands([...COMMANDS], {}, signalFor(signal));
    let offset = 0;
    try {
      while (!signal.aborted && (await this.lock.check())) {
        const updates = await bot.api.getUpdates(
          { offset, timeout: POLL_SECONDS, limit: 50, allowed_updates: ['message', 'callback_query'] },
          signalFor(signal),
        );
        well();
        for (const update of updates) {
          if (signal.aborted) return;
          await this.handler.handle(update);
          offset = update.update_id + 1;
        }
      }
    } finally {
      // What was answered is not to be answered again by whoever comes next.
      const farewell = signalFor(AbortSignal.timeout(FAREWELL_MS));
      if (offset > 0) await bot.api.getUpdates({ offset, limit: 1, timeout: 0 }, farewell).catch(() => undefined);
    }
  }

  private complain(error: unknown): void {
    // The text of what the library throws does not hold the token.
    const fault = error instanceof GrammyError ? error.description : messageOf(error);
    if (fault !== this.lastFault) this.logger.warn({ fault }, 'Telegram cannot be asked for messages now');
    this.lastFault = fault;
  }
}

async function rest(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}
