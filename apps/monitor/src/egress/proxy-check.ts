import type { Clock } from '../capture/clock.js';
import type { Destinations } from './destinations.js';
import { EgressError } from './egress-error.js';
import { fetchThrough } from './egress-fetch.js';
import { LaneBudget, type EgressLimits } from './lane-budget.js';
import type { PooledProxy, ProxyPool } from './proxy-pool.js';

/** Time between two rounds, ms; each is off by up to half of it, so that monitors do not knock together. */
const ROUND_MS = 60_000;
/** Proxies that are tried at once, and how long each may take, ms. */
const [AT_ONCE, PATIENCE_MS] = [8, 8_000];

/** What health checks are made of. */
export interface ProxyCheckOptions {
  url: string;
  destinations: Destinations;
  limits: EgressLimits;
  clock: Clock;
  random: () => number;
  /** Further certificate authorities, PEM. */
  ca?: string;
}

/** Tries proxies now and then by fetching a small page, and takes those that work from the bench again. */
export class ProxyCheck {
  private readonly ending = new AbortController();
  private cancel: () => void = () => undefined;
  private round: Promise<void> = Promise.resolve();

  constructor(
    private readonly pool: ProxyPool,
    private readonly options: ProxyCheckOptions,
  ) {}

  start(): void {
    const { clock, random } = this.options;
    this.cancel = clock.after(Math.round(ROUND_MS * (0.5 + random())), () => {
      this.round = this.run().finally(() => {
        if (!this.ending.signal.aborted) this.start();
      });
    });
  }

  async stop(): Promise<void> {
    this.ending.abort();
    this.cancel();
    await this.round;
  }

  /**
   * One round over all proxies that are benched or had nothing to do since the last. What fails counts against a proxy
   * only when the page answered another one: else it is the page that is down.
   */
  async run(): Promise<void> {
    const { clock } = this.options;
    const startedAt = clock.now();
    const due = this.pool.proxies.filter(
      ({ health }) => health.benched(startedAt) || startedAt - health.outcomeAt >= ROUND_MS,
    );
    const failed: { proxy: PooledProxy; error: string; era: number }[] = [];
    let answered = this.pool.proxies.length > due.length;
    for (let start = 0; start < due.length && !this.ending.signal.aborted; start += AT_ONCE) {
      await Promise.all(
        due.slice(start, start + AT_ONCE).map(async (proxy) => {
          const { era, failures } = proxy.health;
          const error = await this.fault(proxy);
          if (error === null) answered = true;
          else if (proxy.health.failures === failures) failed.push({ proxy, error, era });
        }),
      );
    }
    if (!answered || this.ending.signal.aborted) return;
    for (const { proxy, error, era } of failed) proxy.health.failed(clock.now(), `health check: ${error}`, era);
  }

  private async fault(proxy: PooledProxy): Promise<string | null> {
    const { url, destinations, limits, clock, ca } = this.options;
    const budget = new LaneBudget(limits, { refused: 0, requests: 0, bytes: 0 }, () => clock.now());
    const route = this.pool.routeThrough(proxy);
    try {
      const bounds = { destinations, budget, route, closing: this.ending.signal, ...(ca === undefined ? {} : { ca }) };
      const { status } = await fetchThrough(url, { maxBytes: 4_096, timeoutMs: PATIENCE_MS }, bounds);
      return status < 400 ? null : `answered ${status}`;
    } catch (error) {
      return error instanceof EgressError ? error.message : 'failed';
    }
  }
}
