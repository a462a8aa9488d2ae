import type { DestinationRules } from './destinations.js';
import { EgressError } from './egress-error.js';

/**
 * The rules of a lane that may go to one address and nowhere else, whatever the rules of the others: for a listener of
 * this process itself. No other lane may go there for it.
 */
export class OneDestination implements DestinationRules {
  constructor(
    /** A numeric address, so that no name can lead elsewhere. */
    private readonly address: string,
    private readonly port: number,
  ) {}

  /** @throws EgressError `refused_address` */
  of(host: string, port: number): Promise<readonly string[]> {
    if (host === this.address && port === this.port) return Promise.resolve([this.address]);
    return Promise.reject(
      new EgressError('refused_address', `${host.slice(0, 60)}:${port} is refused: this way out leads to one address.`),
    );
  }
}
