import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { messageOf } from '#libs/errors/app-error.js';
import type { Logger } from '#libs/observability/logger.js';
import { LOGGER } from '../runtime.module.js';
import { AttachmentsService } from './attachments.service.js';

/** How often uploads without a message are looked for, in ms. */
const INTERVAL_MS = 5 * 60_000;

/** Removes uploads that no message was sent with; any number of processes may. */
@Injectable()
export class AttachmentSweeper implements OnApplicationBootstrap, OnModuleDestroy {
  private timer: NodeJS.Timeout | undefined;
  private sweeping: Promise<void> | null = null;

  constructor(
    private readonly attachments: AttachmentsService,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => {
      this.sweeping ??= this.sweep().finally(() => (this.sweeping = null));
    }, INTERVAL_MS);
  }

  async onModuleDestroy(): Promise<void> {
    clearInterval(this.timer);
    await this.sweeping;
  }

  private async sweep(): Promise<void> {
    try {
      const removed = await this.attachments.removeUnsent(Date.now());
      if (removed > 0) this.logger.info({ removed }, 'uploads that were never sent have been removed');
    } catch (error) {
      this.logger.warn({ fault: messageOf(error) }, 'uploads that were never sent could not be removed');
    }
  }
}
