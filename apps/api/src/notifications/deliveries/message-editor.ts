import { Inject, Injectable } from '@nestjs/common';
import { messageOf } from '#libs/errors/app-error.js';
import type { Logger } from '#libs/observability/logger.js';
import { API_SETTINGS, LOGGER, type ApiSettings } from '../../runtime.module.js';
import { DeliveryFault } from '../channels/channel.port.js';
import { Channels } from '../channels/channels.js';
import { AddressBook } from './address-book.repository.js';
import { DeliveriesRepository } from './deliveries.repository.js';
import { DeliveryMessages, shownOf } from './delivery-messages.js';
import { EditsRepository, type OutdatedDelivery } from './edits.repository.js';

/** Messages of one round. */
const BATCH = 20;
/** Failures in a row after which a message is left as it is. */
const MOST_FAILURES = 5;

/** Keeps messages that were sent in step with their alert: how often it was seen, and who has taken it on. */
@Injectable()
export class MessageEditor {
  constructor(
    @Inject(API_SETTINGS) private readonly settings: ApiSettings,
    @Inject(LOGGER) private readonly logger: Logger,
    private readonly edits: EditsRepository,
    private readonly deliveries: DeliveriesRepository,
    private readonly addresses: AddressBook,
    private readonly channels: Channels,
    private readonly messages: DeliveryMessages,
  ) {}

  /** Brings a number of messages up to date. @throws when the database is away. */
  async run(signal: AbortSignal): Promise<void> {
    const ids = this.channels.all.filter((channel) => channel.works && 'edit' in channel).map(({ id }) => id);
    if (ids.length === 0) return;
    for (const row of await this.edits.outdated(ids, this.settings.DELIVERY_EDIT_MS, BATCH)) {
      if (signal.aborted) return;
      await this.edit(row);
    }
  }

  private async edit(row: OutdatedDelivery): Promise<void> {
    const channel = this.channels.get(row.channel);
    const address = await this.addresses.find(row);
    const items = await this.deliveries.items(row);
    const shown = shownOf(items);
    if (channel?.edit === undefined || address === null || shown === null) {
      return this.edits.failed(row.id, 0);
    }
    const message = this.messages.plain(row, items);
    if ((await this.deliveries.holdUntil(channel.holdOf(address))) !== null) return;
    const fault = await this.attempt(channel.edit(message, address, row.reference ?? '', this.patience()));
    if (fault === null) return this.edits.edited(row.id, shown);
    if (fault.retryAfterMs !== null) {
      return this.deliveries.hold(channel.holdOf(address), new Date(Date.now() + fault.retryAfterMs));
    }
    this.logger.debug({ delivery: row.id, fault: fault.message }, 'a message could not be brought up to date');
    return this.edits.failed(row.id, fault.permanent ? 0 : MOST_FAILURES);
  }

  private patience(): AbortSignal {
    return AbortSignal.timeout(this.settings.DELIVERY_SEND_TIMEOUT_MS);
  }

  private attempt(edit: Promise<void>): Promise<DeliveryFault | null> {
    return edit.then(
      () => null,
      (error: unknown) => (error instanceof DeliveryFault ? error : new DeliveryFault(messageOf(error), true)),
    );
  }
}
