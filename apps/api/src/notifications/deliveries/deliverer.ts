import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import type { DeliveryJob } from '#libs/bus/delivery-queue.js';
import { messageOf } from '#libs/errors/app-error.js';
import type { Logger } from '#libs/observability/logger.js';
import { inSpan } from '#libs/observability/tracing.js';
import { API_SETTINGS, LOGGER, type ApiSettings } from '../../runtime.module.js';
import { AlertsRepository } from '../alerts.repository.js';
import { DeliveryFault, type Channel, type ChannelMessage } from '../channels/channel.port.js';
import { Channels } from '../channels/channels.js';
import { Notices } from '../notices.js';
import { nextAttemptAt } from '../policy/retry-schedule.js';
import { silenceFor } from '../policy/silences.js';
import { AddressBook } from './address-book.repository.js';
import { DeliveriesRepository, type DeliveryItem, type DeliveryRow, type Outcome } from './deliveries.repository.js';
import { DeliveryMessages, shownOf } from './delivery-messages.js';
import { Outbox } from './outbox.js';

/** Makes attempts: claims the row, sends over the channel, notes what became of it, plans the next attempt. */
@Injectable()
export class Deliverer {
  private readonly ended = new Map<string, { channel: string; outcome: string; count: number }>();

  constructor(
    @Inject(API_SETTINGS) private readonly settings: ApiSettings,
    @Inject(LOGGER) private readonly logger: Logger,
    private readonly deliveries: DeliveriesRepository,
    private readonly alerts: AlertsRepository,
    private readonly addresses: AddressBook,
    private readonly channels: Channels,
    private readonly messages: DeliveryMessages,
    private readonly outbox: Outbox,
    private readonly notices: Notices,
  ) {}

  /** After so long an attempt that was begun counts as left behind by its process, ms. */
  get goneMs(): number {
    return Math.ceil(this.settings.DELIVERY_SEND_TIMEOUT_MS * 1.25);
  }

  /** Attempts of this process since it started, by channel and what became of them. */
  outcomes(): (readonly [{ channel: string; outcome: string }, number])[] {
    return [...this.ended.values()].map(({ count, ...labels }) => [labels, count]);
  }

  private note(channel: string, outcome: string): void {
    const key = `${channel} ${outcome}`;
    const count = (this.ended.get(key)?.count ?? 0) + 1;
    this.ended.set(key, { channel, outcome, count });
  }

  /** @throws when the database is away; the auditor then finds the row. */
  async attempt({ deliveryId, attempt }: DeliveryJob): Promise<void> {
    const row = await this.deliveries.claim(deliveryId, attempt, this.goneMs, Date.now());
    if (row === null) return;
    // Never early: the receiver may have said when.
    await sleep(Math.max(0, row.dueAt.getTime() - Date.now()));
    const startedAt = Date.now();
    const outcome = await this.make(row, startedAt);
    await this.deliveries.finish(row.id, attempt, outcome);
    this.note(row.channel, outcome.entry.outcome);
    if (outcome.dueAt === null || outcome.state !== 'pending') return;
    await this.outbox.add([
      {
        ...{ deliveryId: row.id, channel: row.channel, delayMs: outcome.dueAt.getTime() - Date.now() },
        attempt: attempt + (outcome.counts ? 1 : 0),
      },
    ]);
  }

  private async make(row: DeliveryRow, startedAt: number): Promise<Outcome> {
    const ended = (outcome: Outcome['entry']['outcome'], detail: string): Outcome['entry'] => ({
      ...{ at: new Date(startedAt).toISOString(), outcome, detail, ms: Date.now() - startedAt },
    });
    const rest = { dueAt: null, reference: null, shown: null, counts: true };
    try {
      const channel = this.channels.get(row.channel);
      const address = channel === null ? null : await this.addresses.find(row);
      if (channel === null || address === null) {
        throw new DeliveryFault('There is nowhere to send to any more.', true);
      }
      const items = await this.deliveries.items(row);
      const wanted = await this.audible(items, startedAt);
      if (wanted.length === 0) {
        const detail = items.length === 0 ? 'What it told of is gone.' : 'A silence holds.';
        return { ...rest, state: 'suppressed', entry: ended('suppressed', detail) };
      }
      const message = await this.messages.illustrated(row, wanted);
      const held = await this.deliveries.holdUntil(channel.holdOf(address));
      if (held !== null) {
        // Not an attempt, but another job: the id of this one is in use until it ends.
        return { ...rest, state: 'pending', dueAt: held, entry: ended('held', 'The receiver asked for a pause.') };
      }
      const attributes = {
        ...{ 'vigil.delivery.id': row.id, 'vigil.delivery.channel': row.channel },
        'vigil.delivery.attempt': row.attempts,
      };
      const reference = await inSpan(
        wanted.flatMap(({ detectionId }) => detectionId ?? []),
        { name: `deliver ${row.channel}`, kind: 'client', attributes },
        (traceparent) => this.send(channel, row, { ...message, traceparent }, address),
      );
      for (const { detectionId } of wanted) {
        this.logger.info({ correlationId: detectionId, delivery: row.id, channel: row.channel }, 'delivered');
      }
      const shown = channel.edit === undefined || row.alertId === null ? null : shownOf(wanted);
      return { ...rest, state: 'sent', reference, shown, entry: ended('sent', '') };
    } catch (error) {
      const fault = error instanceof DeliveryFault ? error : new DeliveryFault(messageOf(error).slice(0, 300));
      return this.failed(row, fault, ended('failed', fault.message));
    }
  }

  private async send(channel: Channel, row: DeliveryRow, message: ChannelMessage, address: object): Promise<string> {
    const signal = AbortSignal.timeout(this.settings.DELIVERY_SEND_TIMEOUT_MS);
    try {
      const reference = await channel.send(message, address, signal);
      if (row.endpointId !== null) await this.addresses.noteWebhook(row.endpointId, true);
      return reference;
    } catch (error) {
      if (error instanceof DeliveryFault && error.retryAfterMs !== null) {
        await this.deliveries.hold(channel.holdOf(address), new Date(Date.now() + error.retryAfterMs));
      }
      if (row.endpointId !== null) await this.webhookFailed(row.endpointId, error);
      else if (error instanceof DeliveryFault && error.gone) await this.leave(row, address);
      throw error;
    }
  }

  private failed(row: DeliveryRow, fault: DeliveryFault, entry: Outcome['entry']): Outcome {
    const failures = heldOut(row) + 1;
    const scale = this.settings.DELIVERY_RETRY_SCALE;
    const next = nextAttemptAt(Date.now(), failures, fault, Math.random, scale);
    if (next !== null)
      return { state: 'pending', dueAt: new Date(next), reference: null, shown: null, entry, counts: true };
    this.logger.warn({ delivery: row.id, channel: row.channel, fault: fault.message }, 'a delivery was given up');
    return { state: 'dead', dueAt: null, reference: null, shown: null, entry, counts: true };
  }

  private async webhookFailed(endpointId: string, error: unknown): Promise<void> {
    const since = await this.addresses.noteWebhook(endpointId, false);
    const gone = error instanceof DeliveryFault && error.gone;
    const long = since !== null && Date.now() - since.getTime() >= this.settings.WEBHOOK_DISABLE_AFTER_MS;
    if (!gone && !long) return;
    const reason = gone ? 'It answered that it is gone (410).' : `It has failed since ${since?.toISOString() ?? ''}.`;
    const disabled = await this.addresses.disableWebhook(endpointId, reason);
    if (disabled === undefined) return;
    const host = new URL(disabled.url).host;
    await this.notices.tell(
      disabled.userId,
      `The webhook on ${host} was disabled`,
      `${reason} Mend it, then enable it.`,
    );
  }

  /** The receiver wants nothing any more: the way to it is forgotten, and the user told in the app. */
  private async leave({ userId }: DeliveryRow, address: object): Promise<void> {
    if (userId === null || !(await this.addresses.forgetChat(userId, address))) return;
    await this.notices.tell(
      userId,
      'Telegram was unlinked',
      'The bot was blocked, or the account is gone: link a chat anew to be told over Telegram again.',
    );
  }

  /** What no silence covers now: a silence holds also for what was waiting to be sent. */
  private async audible(items: readonly DeliveryItem[], now: number): Promise<DeliveryItem[]> {
    const silences = await this.alerts.silences(this.deliveries.manager, now);
    return items.filter(({ kind, ...item }) =>
      kind !== 'detection' && kind !== 'escalation' ? true : silenceFor(item, silences, now) === null,
    );
  }
}

/** Failed attempts since it was driven: those on hold made no try. */
function heldOut({ attempts, drivenFrom, log }: DeliveryRow): number {
  const recent = log.slice(Math.max(0, log.length - (attempts - drivenFrom)));
  return recent.filter(({ outcome }) => outcome === 'failed').length;
}
