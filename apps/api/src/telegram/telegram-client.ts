import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { Bot, type Api } from 'grammy';
import { AppError } from '#libs/errors/app-error.js';
import { telegramFetch } from '../notifications/channels/telegram/telegram-api.js';
import { TELEGRAM_HOLD } from '../notifications/channels/telegram/telegram.channel.js';
import { Holds } from '../notifications/deliveries/holds.js';
import { API_SETTINGS, type ApiSettings } from '../runtime.module.js';

/** Updates are asked for this long at once, and any call may take so long, seconds. */
export const [POLL_SECONDS, CALL_SECONDS] = [25, 35] as const;
/** A pause no longer than this is waited for; an answer that would come later is not worth it, ms. */
const MOST_WAIT_MS = 5_000;
/** The bot's name is asked for this long at most, and not again for a while when nobody said it, ms. */
const [NAME_PATIENCE_MS, NAME_REST_MS] = [3_000, 15_000];

/** The bot of `TELEGRAM_BOT_TOKEN`. Its calls keep the pauses that Telegram asks for, with all that is sent over it. */
@Injectable()
export class TelegramClient {
  /** Null when none is set up. */
  readonly bot: Bot | null;
  private askedAt = Number.NEGATIVE_INFINITY;

  constructor(
    @Inject(API_SETTINGS) { TELEGRAM_BOT_TOKEN: token, TELEGRAM_API_URL: url }: ApiSettings,
    private readonly holds: Holds,
  ) {
    this.bot = token === undefined ? null : this.make(token, url.replace(/\/+$/, ''));
  }

  /** What the bot is called, null while Telegram does not say. */
  async username(): Promise<string | null> {
    const { bot } = this;
    if (bot === null) return null;
    if (!bot.isInited() && Date.now() - this.askedAt >= NAME_REST_MS) {
      this.askedAt = Date.now();
      await this.introduce(AbortSignal.timeout(NAME_PATIENCE_MS)).catch(() => undefined);
    }
    return bot.isInited() ? bot.botInfo.username : null;
  }

  /** Asks who the bot is, once; it handles nothing before it knows. @throws GrammyError or HttpError. */
  async introduce(signal: AbortSignal): Promise<void> {
    if (this.bot === null || this.bot.isInited()) return;
    this.bot.botInfo = await this.bot.api.getMe(signalFor(signal));
  }

  private make(token: string, apiRoot: string): Bot {
    const bot = new Bot(token, {
      client: { apiRoot, timeoutSeconds: CALL_SECONDS, fetch: nativeFetch },
    });
    bot.api.config.use(async (call, method, payload, signal) => {
      const hold = method === 'getUpdates' ? `${TELEGRAM_HOLD}-updates` : TELEGRAM_HOLD;
      await this.pause(hold);
      const answer = await call(method, payload, signal);
      const seconds = answer.ok ? undefined : answer.parameters?.retry_after;
      if (seconds !== undefined) await this.holds.keep(hold, seconds * 1_000);
      return answer;
    });
    return bot;
  }

  /** @throws AppError `telegram.held` when the pause is long. */
  private async pause(hold: string): Promise<void> {
    for (let left = await this.holds.leftMs(hold); left > 0; left = await this.holds.leftMs(hold)) {
      if (left > MOST_WAIT_MS) throw new AppError('telegram.held', 'operational', 'Telegram asked for a pause.');
      await sleep(left);
    }
  }
}

type LibrarySignal = NonNullable<Parameters<Api['getMe']>[0]>;

/** The built-in signal as grammy takes it, whose types know only that of the package abort-controller. */
export const signalFor = (signal: AbortSignal): LibrarySignal => signal as unknown as LibrarySignal;

/** The built-in fetch, which refuses the signals that grammy makes (of the package abort-controller). */
async function nativeFetch(url: string | URL, init: RequestInit): Promise<Response> {
  const { signal, ...rest } = init;
  const ending = new AbortController();
  const end = (): void => ending.abort();
  if (signal?.aborted === true) end();
  signal?.addEventListener('abort', end);
  try {
    const response = await telegramFetch(url, { ...rest, signal: ending.signal });
    // Read here: the signal holds for the body, too.
    return new Response(await response.text(), { status: response.status });
  } finally {
    signal?.removeEventListener('abort', end);
  }
}
