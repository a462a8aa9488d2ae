import { Injectable } from '@nestjs/common';
import { AppError } from '#libs/errors/app-error.js';
import { AuditTrail } from '../audit/audit-trail.js';
import type { AuthenticatedUser } from '../auth/authenticated-user.js';
import { hashCode, newCode } from '../auth/one-time-code.js';
import { TransactionRunner } from '../database/transaction.js';
import { TelegramClient } from './telegram-client.js';
import type { TelegramCode, TelegramLink } from './telegram.dto.js';
import { TelegramLinksRepository, type LinkedUser } from './telegram-links.repository.js';

/** How long a code is good, ms. */
const CODE_MS = 10 * 60_000;

/** Which chat speaks for whom. A chat is never named by hand: whoever has it proves so by a code. */
@Injectable()
export class TelegramLinksService {
  constructor(
    private readonly repository: TelegramLinksRepository,
    private readonly client: TelegramClient,
    private readonly transactions: TransactionRunner,
    private readonly audit: AuditTrail,
  ) {}

  async get(userId: string): Promise<TelegramLink> {
    const [linkedAt, bot] = await Promise.all([this.repository.linkedAt(userId), this.client.username()]);
    const url = bot === null ? null : `https://t.me/${bot}`;
    const available = this.client.bot !== null;
    return { available, linked: linkedAt !== null, linkedAt: linkedAt?.toISOString() ?? null, bot, url };
  }

  /** Makes the code that links a chat to the user. @throws AppError `telegram.conflict` without a bot. */
  async begin(user: AuthenticatedUser): Promise<TelegramCode> {
    if (this.client.bot === null) {
      const advice = 'No Telegram bot is set up here: whoever runs Vigil sets TELEGRAM_BOT_TOKEN.';
      throw new AppError('telegram.conflict', 'user', advice);
    }
    const [code, bot] = [newCode(), await this.client.username()];
    const expiresAt = new Date(Date.now() + CODE_MS);
    await this.repository.setCode(user.id, hashCode(code), expiresAt);
    await this.audit.record({ action: 'user.telegram_code_made', target: targetOf(user) });
    const url = bot === null ? null : `https://t.me/${bot}?start=${code}`;
    return { code, command: `/start ${code}`, bot, url, expiresAt: expiresAt.toISOString() };
  }

  /** Links the chat that a code came from. @returns whom it speaks for now, null when the code is not good. */
  async finish(code: string, chatId: string): Promise<AuthenticatedUser | null> {
    return this.transactions.run(async (tx) => {
      const user = await this.repository.use(tx, hashCode(code));
      if (user === null) return null;
      await this.repository.link(tx, user.id, chatId);
      const actor = { id: user.id, name: user.username };
      await this.audit.record({ action: 'user.telegram_linked', target: targetOf(user), actor }, tx);
      return user;
    });
  }

  /** The chat is nobody's any more; without one nothing happens. */
  async remove(user: AuthenticatedUser): Promise<void> {
    await this.transactions.run(async (tx) => {
      if (!(await this.repository.unlink(tx, user.id))) return;
      await this.audit.record({ action: 'user.telegram_unlinked', target: targetOf(user) }, tx);
    });
  }

  /** Whom a chat speaks for now, null for nobody. */
  userOf(chatId: string): Promise<LinkedUser | null> {
    return this.repository.userOf(chatId);
  }
}

const targetOf = ({ id, username }: AuthenticatedUser): { type: string; id: string; name: string } => ({
  ...{ type: 'user', id, name: username },
});
