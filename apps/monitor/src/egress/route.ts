import type { Socket } from 'node:net';
import { connectTo } from './connect.js';

/** How a lane reaches addresses that were checked before. */
export interface Route {
  readonly proxied: boolean;
  /**
   * Opens a connection to one of several checked addresses.
   * @param timeoutMs for each try
   * @throws EgressError `unreachable`
   */
  connect(addresses: readonly string[], port: number, timeoutMs: number, signal: AbortSignal): Promise<Socket>;
  /** The lane is closed. */
  close(): void;
}

/** Straight out of this machine. */
export const DIRECT: Route = { proxied: false, connect: connectTo, close: () => undefined };
