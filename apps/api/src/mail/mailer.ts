import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import type { Transporter } from 'nodemailer';
import { messageOf } from '#libs/errors/app-error.js';
import type { Logger } from '#libs/observability/logger.js';
import { API_SETTINGS, LOGGER, type ApiSettings } from '../runtime.module.js';
import { mailTransport } from './mail-transport.js';

/** Mails under way at most; beyond it they are dropped and logged. */
const MOST_PENDING = 100;
/** Connections to the mail server at most. */
const MOST_CONNECTIONS = 2;
/** A mail server may take so long for each step, in ms. */
const PATIENCE_MS = 10_000;

/** A plain text mail to one person. */
export interface Mail {
  to: string;
  subject: string;
  text: string;
}

/** Sends mails about accounts through the configured server. */
@Injectable()
export class Mailer implements OnModuleDestroy {
  private readonly transport: Transporter | null;
  private pending = 0;

  constructor(
    @Inject(API_SETTINGS) private readonly settings: Pick<ApiSettings, 'SMTP_URL' | 'MAIL_FROM'>,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.transport = mailTransport(settings.SMTP_URL, MOST_CONNECTIONS, PATIENCE_MS);
  }

  onModuleDestroy(): void {
    this.transport?.close();
  }

  /** Sends a mail in its own time; what goes wrong is logged, without the mail's text. */
  post(mail: Mail): void {
    const { transport } = this;
    if (transport === null) {
      this.logger.warn({ subject: mail.subject }, 'no mail can be sent: set SMTP_URL');
      return;
    }
    if (this.pending >= MOST_PENDING) {
      this.logger.warn({ subject: mail.subject }, 'too many mails under way: one was dropped');
      return;
    }
    this.pending += 1;
    transport
      .sendMail({
        from: this.settings.MAIL_FROM,
        to: { name: '', address: mail.to },
        subject: mail.subject,
        text: mail.text,
      })
      .catch((error: unknown) => {
        this.logger.error(
          { subject: mail.subject, fault: messageOf(error) },
          'a mail could not be sent: check SMTP_URL',
        );
      })
      .finally(() => (this.pending -= 1));
  }
}
