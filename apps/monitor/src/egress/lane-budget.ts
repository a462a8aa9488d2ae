import { EgressError } from './egress-error.js';
import { TokenBucket } from './token-bucket.js';

/** What one stream may use. */
export interface EgressLimits {
  requestsPerSecond: number;
  requestBurst: number;
  /** Beyond it the stream is slowed, not refused. */
  bytesPerSecond: number;
  byteBurst: number;
  /** Length of one playlist. */
  playlistBytes: number;
  /** Connections at once. */
  connections: number;
  headerBytes: number;
  connectTimeoutMs: number;
  /** Longest silence of a connection. */
  idleTimeoutMs: number;
}

/** Room for any honest stream: a 4K one at 40 Mbit/s with one-second segments in several renditions. */
export const DEFAULT_LIMITS: EgressLimits = {
  requestsPerSecond: 20,
  requestBurst: 100,
  bytesPerSecond: 8 * 2 ** 20,
  byteBurst: 64 * 2 ** 20,
  playlistBytes: 4 * 2 ** 20,
  connections: 32,
  headerBytes: 32 * 2 ** 10,
  connectTimeoutMs: 10_000,
  idleTimeoutMs: 30_000,
};

/** Counts since start. */
export interface EgressStats {
  refused: number;
  requests: number;
  bytes: number;
}

/** What one lane has used, and whether it may use more. */
export class LaneBudget {
  readonly stats: EgressStats = { refused: 0, requests: 0, bytes: 0 };
  private readonly requestTokens: TokenBucket;
  private readonly byteTokens: TokenBucket;

  constructor(
    readonly limits: EgressLimits,
    private readonly totals: EgressStats,
    private readonly now: () => number,
  ) {
    this.requestTokens = new TokenBucket(limits.requestsPerSecond, limits.requestBurst, now());
    this.byteTokens = new TokenBucket(limits.bytesPerSecond, limits.byteBurst, now());
  }

  /** @throws EgressError `budget_exceeded` when requests come too fast or too many connections are open. */
  request(openConnections: number): void {
    this.stats.requests += 1;
    this.totals.requests += 1;
    if (!this.requestTokens.take(1, this.now())) {
      throw new EgressError(
        'budget_exceeded',
        `The stream made more than ${this.limits.requestsPerSecond} requests a second; its playlist may name itself.`,
      );
    }
    if (openConnections > this.limits.connections) {
      throw new EgressError('budget_exceeded', `The stream opened more than ${this.limits.connections} connections.`);
    }
  }

  /** Counts bytes that came in; says for how many ms they must be held back. */
  received(bytes: number): number {
    this.stats.bytes += bytes;
    this.totals.bytes += bytes;
    return this.byteTokens.borrow(bytes, this.now());
  }

  refused(): void {
    this.stats.refused += 1;
    this.totals.refused += 1;
  }
}
