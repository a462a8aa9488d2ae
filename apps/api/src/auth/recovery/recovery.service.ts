import { Inject, Injectable } from '@nestjs/common';
import { messageOf } from '#libs/errors/app-error.js';
import type { Logger } from '#libs/observability/logger.js';
import { AuditTrail } from '../../audit/audit-trail.js';
import { Mailer } from '../../mail/mailer.js';
import { LOGGER } from '../../runtime.module.js';
import { UsersService } from '../../users/users.service.js';
import { AuthService } from '../auth.service.js';
import { badResetCode } from '../auth.errors.js';
import { LoginThrottle } from '../login-throttle.js';
import { hashCode, newCode } from '../one-time-code.js';
import type { ResetPasswordRequest } from './recovery.dto.js';
import { PasswordResetsRepository } from './password-resets.repository.js';

/** How long a code is good, in ms. */
const CODE_MS = 30 * 60_000;
/** Requests that wait for their mail at most; beyond it they are dropped and logged. */
const MOST_PENDING = 100;

/** A new password for whoever forgot it and reads the mails of its address. */
@Injectable()
export class RecoveryService {
  private pending = 0;
  private last: Promise<void> = Promise.resolve();

  constructor(
    @Inject(UsersService) private readonly users: Pick<UsersService, 'findByLogin' | 'find' | 'setPassword'>,
    @Inject(PasswordResetsRepository)
    private readonly resets: Pick<PasswordResetsRepository, 'create' | 'find' | 'use'>,
    @Inject(AuthService) private readonly auth: Pick<AuthService, 'endSessions'>,
    @Inject(LoginThrottle) private readonly throttle: Pick<LoginThrottle, 'spend' | 'forget'>,
    @Inject(Mailer) private readonly mailer: Pick<Mailer, 'post'>,
    @Inject(LOGGER) private readonly logger: Logger,
    @Inject(AuditTrail) private readonly audit: Pick<AuditTrail, 'record'>,
  ) {}

  /**
   * Sends a code to an address if a user has it. Settles before anybody looks: neither the answer nor its time can tell
   * whether somebody does.
   * @throws AppError `auth.too_many`, for known and unknown addresses alike.
   */
  async request(email: string, address: string): Promise<void> {
    await this.throttle.spend('recover', address, email);
    if (this.pending >= MOST_PENDING) {
      this.logger.warn('too many password resets at once: one was dropped');
      return;
    }
    this.pending += 1;
    this.last = this.last
      .then(() => this.send(email))
      .catch((error: unknown) => {
        this.logger.error({ fault: messageOf(error) }, 'a reset code could not be sent');
      })
      .finally(() => (this.pending -= 1));
  }

  /** Settles when the requests up to now are worked off. */
  settled(): Promise<void> {
    return this.last;
  }

  /** Whether a code is good. @throws AppError `auth.too_many`. */
  async isGood(code: string, address: string): Promise<boolean> {
    await this.throttle.spend('code', address);
    return (await this.resets.find(hashCode(code))) !== null;
  }

  /**
   * Sets a new password, uses the code up and ends every sign-in of the user.
   * @throws AppError `auth.reset.invalid`, `auth.too_many`.
   */
  async reset({ token, newPassword }: ResetPasswordRequest, address: string): Promise<void> {
    await this.throttle.spend('code', address);
    const codeHash = hashCode(token);
    const userId = await this.resets.find(codeHash);
    const user = userId === null ? null : await this.users.find(userId);
    if (user === null || user.disabledAt !== null) throw badResetCode();
    await this.users.setPassword(user.id, newPassword, async (tx) => {
      if (!(await this.resets.use(tx, codeHash, user.id))) throw badResetCode();
      const actor = { id: user.id, name: user.username };
      await this.audit.record({ action: 'user.password_reset', target: { type: 'user', ...actor }, actor }, tx);
    });
    await this.auth.endSessions(user.id);
    await this.throttle.forget(user.username, user.email);
  }

  private async send(email: string): Promise<void> {
    const user = await this.users.findByLogin(email);
    if (user === null || user.disabledAt !== null || user.email.toLowerCase() !== email.toLowerCase()) return;
    const code = newCode();
    await this.resets.create(user.id, hashCode(code), new Date(Date.now() + CODE_MS));
    this.mailer.post({
      to: user.email,
      subject: 'A new password for Vigil',
      text:
        `Somebody, hopefully you, asked for a new password for "${user.username}".\n` +
        `This code is good once, for 30 minutes:\n\n${code}\n\nIf it was not you, do nothing.\n`,
    });
  }
}
