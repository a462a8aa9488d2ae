import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import type { MonitorHeartbeat } from '#libs/contracts/monitors.js';
import { messageOf } from '#libs/errors/app-error.js';
import type { Logger } from '#libs/observability/logger.js';
import { AppEvents } from '../events/app-events.js';
import { RulePublisher } from '../rules/rule-publisher.js';
import { API_SETTINGS, LOGGER, type ApiSettings } from '../runtime.module.js';
import { DesiredState } from '../streams/desired-state.service.js';
import { align } from './alignment.js';
import { CaptureControl } from './capture-control.js';

/** Between two looks while an old capture has to end before its successor can begin, in ms. */
const SOON_MS = 300;
/** So many such looks in a row at most; then the usual interval. */
const MOST_SOON = 20;

/** Keeps the captures in line with what should be watched; every api process may run one, they do no harm together. */
@Injectable()
export class Reconciler implements OnApplicationBootstrap, OnModuleDestroy {
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> = Promise.resolve();
  private stopped = false;
  private soonInARow = 0;
  private known: Set<string> | null = null;
  private lastFault = '';
  private readonly unsubscribe: (() => void)[] = [];

  constructor(
    private readonly desiredState: DesiredState,
    private readonly control: CaptureControl,
    private readonly rules: RulePublisher,
    private readonly events: AppEvents,
    @Inject(API_SETTINGS) private readonly settings: ApiSettings,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  onApplicationBootstrap(): void {
    this.unsubscribe.push(
      this.events.on('stream.changed', ({ streamId, change }) => {
        if (change === 'deleted') void this.end(streamId);
        if (change === 'updated' || change === 'monitoring') this.soon();
      }),
    );
    this.schedule(0);
  }

  async onModuleDestroy(): Promise<void> {
    this.stopped = true;
    for (const off of this.unsubscribe) off();
    clearTimeout(this.timer);
    await this.running;
  }

  /** Looks again in a moment rather than at the next interval. */
  soon(): void {
    this.soonInARow = 0;
    this.schedule(SOON_MS);
  }

  /** One comparison and what follows from it. @throws when Redis or Postgres is away. */
  async reconcile(): Promise<void> {
    // Captures first: one that is listed and not desired by the later reading is truly to end.
    const captures = await this.control.captures();
    const monitors = await this.control.monitors();
    const desired = await this.desiredState.all();
    const { add, stop, pending, replacing } = align({ captures, desired, monitors });
    for (const { streamId, upToGeneration } of stop) await this.control.stop(streamId, upToGeneration);
    for (const row of add) await this.control.add(row);
    for (const { row, reason, detail } of pending) await this.desiredState.markPending(row, reason, detail);
    this.announce(monitors);
    await this.rules.putUp();
    this.soonInARow = replacing > 0 ? this.soonInARow + 1 : 0;
  }

  private async end(streamId: string): Promise<void> {
    await this.control.stop(streamId, Number.MAX_SAFE_INTEGER).catch(() => undefined);
  }

  private schedule(ms: number): void {
    if (this.stopped) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.running = this.running.then(() => this.round());
    }, ms);
  }

  private async round(): Promise<void> {
    if (this.stopped) return;
    try {
      await this.reconcile();
      if (this.lastFault !== '') this.logger.info('captures are reconciled again');
      this.lastFault = '';
    } catch (error) {
      const fault = messageOf(error);
      if (fault !== this.lastFault) this.logger.warn({ fault }, 'captures could not be reconciled; trying again');
      this.lastFault = fault;
    }
    const soon = this.soonInARow > 0 && this.soonInARow <= MOST_SOON;
    this.schedule(soon ? SOON_MS : this.settings.RECONCILE_INTERVAL_MS);
  }

  private announce(monitors: readonly MonitorHeartbeat[]): void {
    const at = new Date().toISOString();
    const present = new Set(monitors.map(({ monitorId }) => monitorId));
    const before = this.known;
    this.known = present;
    if (before === null) return;
    for (const monitorId of present) {
      if (!before.has(monitorId)) this.events.emit('monitor.changed', { monitorId, state: 'up', at });
    }
    for (const monitorId of before) {
      if (!present.has(monitorId)) this.events.emit('monitor.changed', { monitorId, state: 'down', at });
    }
  }
}
