import { createHash } from 'node:crypto';
import { isIP, type Socket } from 'node:net';
import type { MonitorHeartbeat } from '#libs/contracts/monitors.js';
import type { Resolver } from './destinations.js';
import { EgressError } from './egress-error.js';
import type { ProxyEndpoint } from './proxy-endpoint.js';
import { ProxyHealth } from './proxy-health.js';
import { openTunnel, TunnelError, type TunnelTarget } from './proxy-tunnel.js';
import type { Route } from './route.js';

/** Hard limit of tries for one connection. */
const MOST_TRIES = 3;
/** So many tries go to the same address before the next one: only then is it clear whose fault a failure was. */
const TRIES_PER_ADDRESS = 2;
/** Pause between two probes when every proxy is benched, ms. */
const PROBE_PAUSE_MS = 1_000;
/** For so long a stream avoids a proxy that did not get it where another one did, ms. */
const AVOID_MS = 60_000;

/** Figures of one proxy, as the heartbeat tells them. */
export type ProxyReport = MonitorHeartbeat['proxies'][number];

/** What a pool is made of. */
export interface ProxyPoolOptions {
  endpoints: readonly ProxyEndpoint[];
  /** Resolves the names of the proxies themselves. */
  resolve: Resolver;
  /** Further certificate authorities for `https` proxies, PEM. */
  ca?: string;
  now: () => number;
  /** From 0 (included) to 1 (not). */
  random: () => number;
}

/** One proxy of the pool. */
export interface PooledProxy {
  readonly name: string;
  readonly endpoint: ProxyEndpoint;
  readonly health: ProxyHealth;
}

/**
 * The upstream proxies. Each stream keeps to one (weighted rendezvous hashing: Thaler and Ravishankar, 1998; weights
 * after Schindelhauer and Schomaker, 2005) among those that are not benched, so that a bench moves its own streams only.
 */
export class ProxyPool {
  readonly proxies: readonly PooledProxy[];
  private readonly routes = new Set<ProxiedRoute>();
  private readonly entries = new Set<string>();
  private probing = false;
  private nextProbeAt = 0;

  constructor(private readonly options: ProxyPoolOptions) {
    this.proxies = options.endpoints.map((endpoint, index) => {
      this.entries.add(endpoint.name);
      return { name: `#${index + 1} ${endpoint.name}`, endpoint, health: new ProxyHealth(options.random) };
    });
  }

  /** Whether a `host:port` is that of a proxy, by its name or by an address that it was seen to have. */
  owns(entry: string): boolean {
    return this.entries.has(entry);
  }

  /** Finds out the addresses of proxies that are given by name, so that {@link owns} knows them before their use. */
  async learn(): Promise<void> {
    const named = this.proxies.map(({ endpoint }) => endpoint).filter(({ host }) => isIP(host) === 0);
    for (let start = 0; start < named.length; start += 20) {
      await Promise.all(
        named.slice(start, start + 20).map(async (endpoint) => {
          this.note(endpoint, await this.options.resolve(endpoint.host).catch(() => []));
        }),
      );
    }
  }

  /** The way out of one stream; every lane of a stream comes to the same proxy. */
  routeOf(streamId: string): Route {
    const route = new ProxiedRoute(streamId, this, () => this.routes.delete(route));
    this.routes.add(route);
    return route;
  }

  /** The way through one proxy alone, benched or not. For health checks. */
  routeThrough(proxy: PooledProxy): Route {
    return {
      proxied: true,
      connect: async ([address = ''], port, timeoutMs, signal) => {
        try {
          return await this.tryOut(proxy, { address, port, timeoutMs, signal });
        } catch (error) {
          throw unreachable(error instanceof TunnelError ? error.message : 'it failed', proxy);
        }
      },
      close: () => undefined,
    };
  }

  /** Opens a tunnel through one proxy. Notes what is the fault or the merit of the proxy beyond doubt. */
  async tryOut(proxy: PooledProxy, target: TunnelTarget): Promise<Socket> {
    const { endpoint, health } = proxy;
    const { resolve, ca, now } = this.options;
    const era = health.era;
    try {
      const means = { resolve, found: (addresses: readonly string[]) => this.note(endpoint, addresses) };
      const socket = await openTunnel(endpoint, target, ca === undefined ? means : { ...means, ca });
      health.succeeded(now());
      return socket;
    } catch (error) {
      if (error instanceof TunnelError && error.fault === 'proxy' && !target.signal.aborted) {
        health.failed(now(), error.message, era);
      }
      throw error;
    }
  }

  /**
   * The one that has been on the bench for the longest, when all are, to be tried by one caller at a time.
   * @throws EgressError `unreachable` when another caller does so already or did just now
   */
  async probe<T>(use: (proxy: PooledProxy) => Promise<T>): Promise<T> {
    const [first] = [...this.proxies].sort((a, b) => a.health.benchedAt - b.health.benchedAt);
    const now = this.options.now();
    if (first === undefined || this.probing || now < this.nextProbeAt) {
      throw new EgressError('unreachable', `All ${this.proxies.length} upstream proxies are benched after failures.`);
    }
    this.probing = true;
    try {
      return await use(first);
    } finally {
      this.probing = false;
      this.nextProbeAt = this.options.now() + PROBE_PAUSE_MS;
    }
  }

  now(): number {
    return this.options.now();
  }

  /** Figures of every proxy. */
  reports(): ProxyReport[] {
    const now = this.options.now();
    const streams = new Map<PooledProxy, Set<string>>();
    for (const { current, streamId } of this.routes) {
      if (current !== null) streams.set(current, (streams.get(current) ?? new Set()).add(streamId));
    }
    return this.proxies.map((proxy) => {
      const { name, health } = proxy;
      const benched = health.benched(now);
      return {
        name,
        state: benched ? 'benched' : 'healthy',
        successes: health.successes,
        failures: health.failures,
        lastError: health.lastError,
        benchedUntil: benched ? health.benchedUntil : null,
        streams: streams.get(proxy)?.size ?? 0,
      };
    });
  }

  private note({ port }: ProxyEndpoint, addresses: readonly string[]): void {
    for (const address of addresses.slice(0, 16)) {
      if (this.entries.size >= 50_000) return;
      this.entries.add(address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`);
    }
  }
}

class ProxiedRoute implements Route {
  readonly proxied = true;
  /** The proxy that the newest connection went through. */
  current: PooledProxy | null = null;
  private readonly affinity: readonly number[];
  private readonly avoided = new Map<PooledProxy, number>();

  constructor(
    readonly streamId: string,
    private readonly pool: ProxyPool,
    private readonly onClose: () => void,
  ) {
    this.affinity = pool.proxies.map(({ endpoint }) => -Math.log(unitHash(`${streamId}\n${endpoint.identity()}`)));
  }

  async connect(addresses: readonly string[], port: number, timeoutMs: number, signal: AbortSignal): Promise<Socket> {
    // Many proxies have no IPv6.
    const targets = [...addresses].sort((a, b) => Number(a.includes(':')) - Number(b.includes(':')));
    const failed: { proxy: PooledProxy; address: string; message: string; era: number }[] = [];
    for (let tries = 0; tries < MOST_TRIES && !signal.aborted; tries += 1) {
      const address = targets[Math.floor(tries / TRIES_PER_ADDRESS) % targets.length] ?? '';
      const proxy = this.choose(failed.map((failure) => failure.proxy));
      if (proxy === null && failed.length > 0) break;
      const target = { address, port, timeoutMs, signal };
      const use = async (chosen: PooledProxy): Promise<Socket | null> => {
        const { era } = chosen.health;
        try {
          return await this.pool.tryOut(chosen, target);
        } catch (error) {
          if (!(error instanceof TunnelError)) throw error;
          failed.push({
            proxy: chosen,
            address: error.fault === 'unclear' ? address : '',
            message: error.message,
            era,
          });
          return null;
        } finally {
          this.current = chosen;
        }
      };
      const socket = proxy === null ? await this.pool.probe(use) : await use(proxy);
      if (socket !== null) {
        for (const failure of failed.filter((it) => it.address === address)) this.blame(failure);
        return socket;
      }
      if (proxy === null) break;
    }
    const last = failed.at(-1);
    throw unreachable(last?.message ?? 'the stream was ended', last?.proxy);
  }

  close(): void {
    this.onClose();
  }

  /** The best of those that are neither benched nor tried already; those this stream avoids come last. */
  private choose(tried: readonly PooledProxy[]): PooledProxy | null {
    const now = this.pool.now();
    let best: { proxy: PooledProxy; score: number } | null = null;
    for (const [index, proxy] of this.pool.proxies.entries()) {
      if (proxy.health.benched(now) || tried.includes(proxy)) continue;
      const weight = (this.avoided.get(proxy) ?? 0) > now ? 1e-9 : proxy.health.weight(now);
      const score = weight / (this.affinity[index] ?? 1);
      if (best === null || score > best.score) best = { proxy, score };
    }
    return best?.proxy ?? null;
  }

  private blame({ proxy, message, era }: { proxy: PooledProxy; message: string; era: number }): void {
    const now = this.pool.now();
    this.avoided.set(proxy, now + AVOID_MS);
    proxy.health.blamed(now, message, this.streamId, era);
  }
}

function unreachable(message: string, proxy?: PooledProxy): EgressError {
  const through = proxy === undefined ? '' : ` through the upstream proxy ${proxy.name}`;
  return new EgressError('unreachable', `The server cannot be reached${through}: ${message}.`);
}

/** A number between 0 and 1, neither included, evenly spread and always the same for the same text. */
function unitHash(text: string): number {
  return (createHash('sha256').update(text).digest().readUIntBE(0, 6) + 0.5) / 2 ** 48;
}
