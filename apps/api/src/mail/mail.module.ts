import { Module } from '@nestjs/common';
import { Mailer } from './mailer.js';

/** Mails about accounts. */
@Module({ providers: [Mailer], exports: [Mailer] })
export class MailModule {}
