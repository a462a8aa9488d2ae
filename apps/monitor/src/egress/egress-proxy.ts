import { Destinations, type Resolver } from './destinations.js';
import { EgressLane } from './egress-lane.js';
import { DEFAULT_LIMITS, LaneBudget, type EgressLimits, type EgressStats } from './lane-budget.js';

/** How the only way out is set up. */
export interface EgressOptions {
  /** `host:port` pairs that may be private (`EGRESS_ALLOW`). */
  allow: readonly string[];
  /** Resolves names; the machine's own way when unset. */
  resolve?: Resolver;
  /** Overrides of {@link DEFAULT_LIMITS}. */
  limits?: Partial<EgressLimits>;
  now?: () => number;
}

/** The only way out of the process: opens a lane per stream and keeps the totals. */
export class EgressProxy {
  /** Totals of all lanes, closed ones included. */
  readonly stats: EgressStats = { refused: 0, requests: 0, bytes: 0 };
  private readonly lanes = new Set<EgressLane>();
  private readonly destinations: Destinations;
  private readonly limits: EgressLimits;
  private readonly now: () => number;

  /** Makes the way out; lanes start to listen one by one as they are opened. */
  static start(options: EgressOptions): Promise<EgressProxy> {
    return Promise.resolve(new EgressProxy(options));
  }

  private constructor(options: EgressOptions) {
    this.destinations = new Destinations(options.allow, options.resolve);
    this.limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.now = options.now ?? Date.now;
  }

  /**
   * Opens the way out of one stream, on a loopback port of its own. The caller closes it.
   * @param limits where this lane differs from the others
   */
  async open(streamId: string, limits: Partial<EgressLimits> = {}): Promise<EgressLane> {
    const budget = new LaneBudget({ ...this.limits, ...limits }, this.stats, this.now);
    const lane = await EgressLane.listen(streamId, this.destinations, budget, this.now, (closed) =>
      this.lanes.delete(closed),
    );
    this.lanes.add(lane);
    return lane;
  }

  /** Closes every lane. */
  async stop(): Promise<void> {
    await Promise.all([...this.lanes].map((lane) => lane.close()));
  }
}
