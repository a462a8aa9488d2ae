import { Inject, Injectable } from '@nestjs/common';
import { messageOf } from '#libs/errors/app-error.js';
import { TransactionRunner } from '../database/transaction.js';
import { Channels } from '../notifications/channels/channels.js';
import { API_SETTINGS, type ApiSettings } from '../runtime.module.js';
import { CanaryWatchRepository } from './canary-watch.repository.js';

/** A channel that failed is asked again after so long, ms: whether it lasts is to be known before people are told. */
const AGAIN_AFTER_MS = 30_000;
const LONGEST_REASON = 500;

/** Asks the channels that are set up whether they would take a message. */
@Injectable()
export class ChannelProbes {
  constructor(
    @Inject(API_SETTINGS) private readonly settings: ApiSettings,
    private readonly channels: Channels,
    private readonly repository: CanaryWatchRepository,
    private readonly transactions: TransactionRunner,
  ) {}

  /** Ids of the channels that are probed here. */
  get probed(): string[] {
    if (this.settings.CANARY_PROBE_MS === 0) return [];
    return this.channels.all.filter((channel) => channel.works && channel.probe !== undefined).map(({ id }) => id);
  }

  /** Probes those whose time has come, all at once, and keeps what became of it. @throws when the database is away. */
  async run(signal: AbortSignal): Promise<void> {
    const states = await this.transactions.run((tx) => this.repository.channels(tx, this.probed));
    const { CANARY_PROBE_MS: everyMs } = this.settings;
    const due = states.filter(({ latest }) => {
      if (latest === null) return true;
      const pauseMs = latest.outcome === 'failed' ? Math.min(everyMs, AGAIN_AFTER_MS) : everyMs;
      return Date.now() - latest.at >= pauseMs;
    });
    await Promise.all(due.map(({ channel }) => this.probe(channel, signal)));
  }

  private async probe(id: string, signal: AbortSignal): Promise<void> {
    const at = new Date();
    const channel = this.channels.get(id);
    let reason: string | null = null;
    try {
      const late = AbortSignal.timeout(this.settings.DELIVERY_SEND_TIMEOUT_MS);
      await channel?.probe?.(AbortSignal.any([signal, late]));
    } catch (error) {
      // The end of this process is no fault of the channel's.
      if (signal.aborted) return;
      reason = messageOf(error).slice(0, LONGEST_REASON) || 'It failed.';
    }
    const tookMs = Date.now() - at.getTime();
    await this.transactions.run((tx) => this.repository.probed(tx, id, reason, tookMs, at));
  }
}
