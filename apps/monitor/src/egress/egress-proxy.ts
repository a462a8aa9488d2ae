import { systemClock, type Clock } from '../capture/clock.js';
import { Destinations, systemResolver, type Resolver } from './destinations.js';
import { EgressLane } from './egress-lane.js';
import { DEFAULT_LIMITS, LaneBudget, type EgressLimits, type EgressStats } from './lane-budget.js';
import { OneDestination } from './one-destination.js';
import { ProxyCheck } from './proxy-check.js';
import type { ProxyPlan } from './proxy-list.js';
import { ProxyPool, type ProxyReport } from './proxy-pool.js';
import { DIRECT } from './route.js';

/** How the only way out is set up. */
export interface EgressOptions {
  /** `host:port` pairs that may be private (`EGRESS_ALLOW`). */
  allow: readonly string[];
  /** Resolves names; the machine's own way when unset. */
  resolve?: Resolver;
  /** Overrides of {@link DEFAULT_LIMITS}. */
  limits?: Partial<EgressLimits>;
  now?: () => number;
  /** Upstream proxies and who uses them; everybody goes out directly when unset. */
  proxies?: ProxyPlan;
  /** Further certificate authorities, PEM. For tests; `NODE_EXTRA_CA_CERTS` is the operator's way. */
  ca?: string;
  /** From 0 (included) to 1 (not), for the pauses of proxies. */
  random?: () => number;
  /** For health checks; that of the machine when unset. */
  clock?: Clock;
}

/** Who uses a lane. */
export interface LaneUser {
  /** Id of the platform: those of `PROXY_PLATFORMS` go through the upstream proxies. */
  platform?: string;
  /** The only place that the lane leads to: a listener of this process, which every other lane refuses. */
  only?: { address: string; port: number };
}

/** The only way out of the process: opens a lane per stream and keeps the totals. */
export class EgressProxy {
  /** Totals of all lanes, closed ones included. */
  readonly stats: EgressStats = { refused: 0, requests: 0, bytes: 0 };
  private readonly lanes = new Set<EgressLane>();
  private readonly destinations: Destinations;
  private readonly limits: EgressLimits;
  private readonly now: () => number;
  private readonly pool: ProxyPool | null;
  private readonly check: ProxyCheck | null;

  /** Makes the way out; lanes start to listen one by one as they are opened. */
  static start(options: EgressOptions): Promise<EgressProxy> {
    const proxy = new EgressProxy(options);
    proxy.check?.start();
    void proxy.pool?.learn();
    return Promise.resolve(proxy);
  }

  private constructor(private readonly options: EgressOptions) {
    const { allow, resolve = systemResolver, proxies, ca, random = Math.random, clock = systemClock } = options;
    this.now = options.now ?? Date.now;
    this.limits = { ...DEFAULT_LIMITS, ...options.limits };
    const trust = ca === undefined ? {} : { ca };
    const { endpoints = [], checkUrl: url = null } = proxies ?? {};
    const pool = endpoints.length === 0 ? null : new ProxyPool({ endpoints, resolve, now: this.now, random, ...trust });
    this.destinations = new Destinations(allow, resolve, (entry) => pool?.owns(entry) ?? false);
    this.pool = pool;
    const { destinations, limits } = this;
    this.check =
      pool === null || url === null
        ? null
        : new ProxyCheck(pool, { url, destinations, limits, clock, random, ...trust });
  }

  /** Figures of every upstream proxy, without secrets. */
  get proxies(): ProxyReport[] {
    return this.pool?.reports() ?? [];
  }

  /**
   * Opens the way out of one stream, on a loopback port of its own. The caller closes it.
   * @param limits where this lane differs from the others
   * @param user says whether it goes through the upstream proxies: a lane without a platform never does
   */
  async open(
    streamId: string,
    limits: Partial<EgressLimits> = {},
    { platform, only }: LaneUser = {},
  ): Promise<EgressLane> {
    const proxied = platform !== undefined && this.options.proxies?.platforms.has(platform) === true;
    const route = proxied && this.pool !== null ? this.pool.routeOf(streamId) : DIRECT;
    const budget = new LaneBudget({ ...this.limits, ...limits }, this.stats, this.now);
    const lane = await EgressLane.listen(
      streamId,
      only === undefined ? this.destinations : new OneDestination(only.address, only.port),
      budget,
      { route, ca: this.options.ca },
      this.now,
      (closed) => this.lanes.delete(closed),
    );
    this.lanes.add(lane);
    return lane;
  }

  /** Closes every lane. */
  async stop(): Promise<void> {
    await this.check?.stop();
    await Promise.all([...this.lanes].map((lane) => lane.close()));
  }
}
