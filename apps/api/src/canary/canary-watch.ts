import { Inject, Injectable } from '@nestjs/common';
import { MonitorDirectory } from '#libs/bus/monitor-directory.js';
import { TransactionRunner } from '../database/transaction.js';
import { runEffects } from '../detections/fact-writer.js';
import { Notices, type HouseNews } from '../notifications/notices.js';
import { API_SETTINGS, type ApiSettings } from '../runtime.module.js';
import { channelChange, closedText, monitorChange, openedText, type HealthChange } from './canary-health.js';
import { CanaryWatchRepository } from './canary-watch.repository.js';
import { ChannelProbes } from './channel-probes.js';

/** A monitor that vanished without a word is expected for so long, ms; then its alarm ends, for nobody will. */
const FORGET_AFTER_MS = 24 * 3_600_000;

/** Tells admins of canaries that do not come out and of channels that do not answer: once, and when it is over. */
@Injectable()
export class CanaryWatch {
  /** Since when monitors are heard without a break, epoch ms; null while Redis is away. */
  private hearingSince: number | null = null;

  constructor(
    @Inject(API_SETTINGS) private readonly settings: ApiSettings,
    private readonly directory: MonitorDirectory,
    private readonly repository: CanaryWatchRepository,
    private readonly probes: ChannelProbes,
    private readonly notices: Notices,
    private readonly transactions: TransactionRunner,
  ) {}

  /** One look. @param leadingSince since when this process looks @throws when the database or Redis is away. */
  async look(now: number, leadingSince: number): Promise<void> {
    const monitors = await this.monitors();
    this.hearingSince ??= now;
    const lookingSince = Math.max(leadingSince, this.hearingSince);
    const { CANARY_GRACE_MS: graceMs } = this.settings;
    const effects = await this.transactions.run(async (tx) => {
      await this.repository.seen(tx, monitors, now);
      const gone = await this.repository.forget(tx, now, FORGET_AFTER_MS);
      const unprobed = await this.repository.closeChannelsBut(tx, this.probes.probed, now);
      for (const subject of gone) await this.notices.calm(tx, null, topicOf('monitor', subject));
      for (const subject of unprobed) await this.notices.calm(tx, null, topicOf('channel', subject));
      const ofMonitors = await this.repository.monitors(tx, now);
      const ofChannels = await this.repository.channels(tx, this.probes.probed);
      const changes = [
        ...ofMonitors.map((state) => monitorChange(state, now, { graceMs, lookingSince })),
        ...ofChannels.map((state) => channelChange(state, now, graceMs)),
      ];
      await this.repository.apply(tx, changes, now);
      return this.notices.ofHouse(
        tx,
        changes.flatMap((change) => newsOf(change, now)),
      );
    });
    await runEffects(effects, () => undefined);
  }

  /** @throws AppError `redis.unavailable`; facts do not come then either, so that nothing is late by it. */
  private async monitors(): Promise<{ monitorId: string; everyMs: number }[]> {
    try {
      const there = await this.directory.list();
      return there.map(({ monitorId, canaryMs }) => ({ monitorId, everyMs: canaryMs ?? 0 }));
    } catch (error) {
      this.hearingSince = null;
      throw error;
    }
  }
}

function newsOf(change: HealthChange, now: number): HouseNews[] {
  const { kind, subject, opened, closed } = change;
  const news = { label: 'canary', severity: 'high' } as const;
  const name = kind === 'monitor' ? `monitor ${subject}` : subject;
  const [fails, works] =
    kind === 'monitor' ? ['Canary fails:', 'Canary sings again:'] : ['No answer from', 'Answers again:'];
  const topic = topicOf(kind, subject);
  return [
    ...(closed.length === 0
      ? []
      : [{ ...news, topic: `${topic}-over`, title: `${works} ${name}`, body: closedText(change, now), ends: topic }]),
    ...(opened.length === 0 ? [] : [{ ...news, topic, title: `${fails} ${name}`, body: openedText(change) }]),
  ];
}

function topicOf(kind: HealthChange['kind'], subject: string): string {
  return `canary:${kind}:${subject}`;
}
