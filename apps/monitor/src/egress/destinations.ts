import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { portAllowed, refusalOf } from '#libs/addresses/address-rules.js';
import { EgressError } from './egress-error.js';

/** Finds every address of a host name. Rejects with `code` ENOTFOUND or the like when there is none. */
export type Resolver = (host: string) => Promise<readonly string[]>;

/** The machine's own way to resolve names, hosts file included. */
export const systemResolver: Resolver = async (host) =>
  (await lookup(host, { all: true })).map(({ address }) => address);

const RESOLVE_TIMEOUT_MS = 8_000;

/** Says where connections may go. */
export interface DestinationRules {
  /**
   * The addresses to connect to, every one of them checked; the caller connects to exactly these.
   * @throws EgressError `unknown_host`, `refused_address`
   */
  of(host: string, port: number): Promise<readonly string[]>;
}

/** Decides where connections may go. */
export class Destinations implements DestinationRules {
  private readonly allowed: ReadonlySet<string>;

  /** @param allow private `host:port` pairs that may be used all the same, e.g. `127.0.0.1:8080`, `[::1]:8080`. */
  constructor(
    allow: readonly string[],
    private readonly resolve: Resolver = systemResolver,
    /** Whether a `host:port` is an upstream proxy's own: refused whatever `allow` says. */
    private readonly isProxy: (entry: string) => boolean = () => false,
  ) {
    this.allowed = new Set(allow.map((entry) => entry.trim().toLowerCase()));
  }

  /**
   * The addresses to connect to, every one of them checked; the caller connects to exactly these.
   * One refused address among several refuses the host.
   * @param host a name or a numeric address, IPv6 with or without brackets
   * @throws EgressError `unknown_host`, `refused_address`
   */
  async of(host: string, port: number): Promise<readonly string[]> {
    const name = host.replace(/^\[(.*)\]$/, '$1').toLowerCase();
    const addresses = isIP(name) === 0 ? await this.lookup(name) : [name];
    if ([name, ...addresses].some((it) => this.isProxy(entry(it, port)))) {
      throw new EgressError('refused_address', `${entry(name, port)} is refused: an upstream proxy listens there.`);
    }
    if (this.allowed.has(entry(name, port))) return addresses;
    for (const address of addresses) {
      if (this.allowed.has(entry(address, port))) continue;
      const refusal = refusalOf(address);
      if (refusal !== null) throw this.refused(name, port, `${refusal} address`);
      if (!portAllowed(port)) throw this.refused(name, port, 'port of another service');
    }
    return addresses;
  }

  private refused(host: string, port: number, what: string): EgressError {
    return new EgressError(
      'refused_address',
      `${entry(host, port)} is refused (${what}); EGRESS_ALLOW lists what may be used all the same.`,
    );
  }

  private async lookup(host: string): Promise<readonly string[]> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(new EgressError('unknown_host', `${host} was not resolved in time.`)),
        RESOLVE_TIMEOUT_MS,
      );
    });
    try {
      const addresses = host === '' || host.length > 253 ? [] : await Promise.race([this.resolve(host), late]);
      if (addresses.length > 0) return addresses.slice(0, 16);
    } catch (error) {
      if (error instanceof EgressError) throw error;
      throw new EgressError('unknown_host', `The host name ${host} does not exist.`, { cause: error });
    } finally {
      clearTimeout(timer);
    }
    throw new EgressError('unknown_host', `The host name ${host.slice(0, 60)} has no address.`);
  }
}

function entry(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
