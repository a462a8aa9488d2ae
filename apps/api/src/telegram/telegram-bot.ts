import { Inject, Injectable } from '@nestjs/common';
import { Composer, type Bot, type Context } from 'grammy';
import { z } from 'zod';
import { AppError, messageOf } from '#libs/errors/app-error.js';
import type { Logger } from '#libs/observability/logger.js';
import type { AuthenticatedUser } from '../auth/authenticated-user.js';
import { passwordChangeDue } from '../auth/auth.errors.js';
import { actingAs } from '../http/request-context.js';
import { buttonOf } from '../notifications/channels/telegram/buttons.js';
import { TokenBucket } from '../realtime/token-bucket.js';
import { LOGGER } from '../runtime.module.js';
import { BotCommands, excuseFor, type BotReply } from './bot-commands.js';
import { TelegramClient } from './telegram-client.js';
import { TelegramLinksService } from './telegram-links.service.js';

const Chat = z.object({ id: z.number().int(), type: z.string().max(20) });
const Person = z.object({ id: z.number().int() });

/** As much of an update as is used; what does not fit is dropped. */
const BotUpdate = z.object({
  update_id: z.number().int().nonnegative(),
  message: z.object({ chat: Chat, from: Person, text: z.string().max(4_096).default('') }).optional(),
  callback_query: z
    .object({ from: Person, data: z.string().max(64).default(''), message: z.object({ chat: Chat }) })
    .optional(),
});

/** What one chat may ask for, and how many chats are kept count of; beyond that the longest known one starts afresh. */
const [RATE, MOST_CHATS] = [{ capacity: 20, perSecond: 0.5 }, 5_000];
/** Longest sentence beside a button and longest message, by the Bot API. */
const [LONGEST_ANSWER, LONGEST_TEXT] = [200, 4_096];

/** All that a chat hears that is nobody's. */
const HOW_TO_LINK =
  'To link this chat to your account, ask Vigil for a code (PUT /api/me/telegram) and send it here as: /start code';

/** What can be asked, as the bot's menu shows it. */
export const COMMANDS = [
  { command: 'streams', description: 'Your streams; add part of a name to find one' },
  { command: 'start_monitoring', description: 'Watch a stream; add its name, or choose' },
  { command: 'stop_monitoring', description: 'Watch a stream no longer' },
  { command: 'status', description: 'How the watching goes; add a name for one stream' },
  { command: 'notifications', description: 'Your newest notifications' },
  { command: 'help', description: 'What you can ask' },
  { command: 'unlink', description: 'Hear nothing here any more' },
] as const;

/** Answers people who write to the bot, each under their own rights as they are at that moment. */
@Injectable()
export class TelegramBot {
  /** Updates that were not handled, by reason. */
  readonly dropped = { malformed: 0, foreign: 0, limited: 0 };
  private readonly rates = new Map<number, TokenBucket>();

  constructor(
    private readonly client: TelegramClient,
    private readonly links: TelegramLinksService,
    private readonly commands: BotCommands,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.client.bot?.use(this.handlers());
  }

  /** Handles one update, whatever it is. Never rejects. */
  async handle(update: unknown): Promise<void> {
    const reason = this.refusalOf(update);
    if (reason !== null) {
      this.dropped[reason] += 1;
      this.logger.debug({ reason, dropped: this.dropped }, 'an update of Telegram was dropped');
      return;
    }
    try {
      await this.client.bot?.handleUpdate(update as Parameters<Bot['handleUpdate']>[0]);
    } catch (error) {
      this.logger.warn({ fault: messageOf(error) }, 'an update of Telegram could not be answered');
    }
  }

  /** Only private chats: in a group others would act as its one user. */
  private refusalOf(update: unknown): keyof TelegramBot['dropped'] | null {
    const parsed = BotUpdate.safeParse(update);
    if (!parsed.success) return 'malformed';
    const { message, callback_query: press } = parsed.data;
    const [chat, from] = [message?.chat ?? press?.message.chat, message?.from ?? press?.from];
    if (chat === undefined || chat.type !== 'private' || chat.id !== from?.id) return 'foreign';
    return this.rateOf(chat.id).take() ? null : 'limited';
  }

  private rateOf(chatId: number): TokenBucket {
    const known = this.rates.get(chatId);
    if (known !== undefined) return known;
    const [oldest] = this.rates.keys();
    if (oldest !== undefined && this.rates.size >= MOST_CHATS) this.rates.delete(oldest);
    const rate = new TokenBucket(RATE);
    this.rates.set(chatId, rate);
    return rate;
  }

  private handlers(): Composer<Context> {
    const { commands } = this;
    const handlers = new Composer<Context>();
    const on = (command: string, work: (user: AuthenticatedUser, text: string) => Promise<BotReply>): void => {
      handlers.command(command, (ctx) => this.answer(ctx, (user) => work(user, ctx.match.trim())));
    };
    handlers.command('start', (ctx) => this.start(ctx, ctx.match.trim()));
    on('streams', (user, text) => commands.streams(user, text));
    on('start_monitoring', (user, text) => commands.monitor(user, text, true));
    on('stop_monitoring', (user, text) => commands.monitor(user, text, false));
    on('status', (user, text) => commands.status(user, text));
    on('notifications', (user) => commands.notifications(user));
    on('unlink', async (user) => {
      await this.links.remove(user);
      return { text: 'This chat is not linked any more.' };
    });
    handlers.on('callback_query', (ctx) => this.press(ctx));
    handlers.on('message', (ctx) => this.answer(ctx, (user) => Promise.resolve(helpFor(user))));
    return handlers;
  }

  private async start(ctx: Context, code: string): Promise<void> {
    const linked = /^[\w-]{16,64}$/.test(code) ? await this.links.finish(code, String(ctx.chatId)) : null;
    await this.answer(ctx, (user) =>
      Promise.resolve(linked === null ? helpFor(user) : { text: `Linked. ${helpFor(user).text}` }),
    );
  }

  private async answer(ctx: Context, work: (user: AuthenticatedUser) => Promise<BotReply>): Promise<void> {
    const { text, buttons = [] } = await this.asUser(ctx, work).catch((error: unknown) => this.excuse(error));
    await ctx.reply(text.slice(0, LONGEST_TEXT), {
      link_preview_options: { is_disabled: true },
      ...(buttons.length === 0 ? {} : { reply_markup: { inline_keyboard: buttons } }),
    });
  }

  private async press(ctx: Context): Promise<void> {
    const button = buttonOf(ctx.callbackQuery?.data);
    const { text } = await this.asUser(ctx, async (user) => ({
      text: button === null ? 'This button is not known any more.' : await this.commands.press(user, button),
    })).catch((error: unknown) => this.excuse(error));
    await ctx.answerCallbackQuery({ text: text.slice(0, LONGEST_ANSWER) });
  }

  private async asUser(ctx: Context, work: (user: AuthenticatedUser) => Promise<BotReply>): Promise<BotReply> {
    const linked = await this.links.userOf(String(ctx.chatId));
    if (linked === null) return { text: HOW_TO_LINK };
    const { mustChangePassword, ...user } = linked;
    if (mustChangePassword) throw passwordChangeDue();
    return actingAs(user, `telegram-${String(ctx.update.update_id)}`, () => work(user));
  }

  private excuse(error: unknown): BotReply {
    if (!(error instanceof AppError) || error.kind !== 'user') {
      this.logger.error({ fault: messageOf(error) }, 'a request over Telegram failed');
    }
    return { text: excuseFor(error) };
  }
}

function helpFor({ username }: AuthenticatedUser): BotReply {
  const lines = COMMANDS.map(({ command, description }) => `/${command} ${description}`);
  return { text: `You are ${username}.\n${lines.join('\n')}` };
}
