import type { AdapterDescriptor } from '#libs/contracts/monitors.js';
import type { StatusReason } from '#libs/contracts/primitives.js';
import { AppError } from '#libs/errors/app-error.js';
import type { EgressLane } from '../egress/egress-lane.js';

/** Where a stream plays right now. */
export interface Playback {
  url: string;
  headers: Readonly<Record<string, string>>;
  /** `live` follows the wall clock; `file` is read at full speed and ends. */
  pace: 'live' | 'file';
  /** What the answer was seen to be; lets capture choose the input options of that container. Unset when not known. */
  container?: 'hls' | 'dash' | 'other';
  /** Target duration of a segmented stream, ms; the stall limit follows it. */
  targetDurationMs?: number;
  /** Epoch ms after which the url is void and must be resolved anew; null when it does not expire. */
  expiresAt: number | null;
  /**
   * True while the source sends adverts, which are kept back: no frame is to be expected, and none is missing. It
   * turns false by itself when a break takes longer than any honest one. Unset where there are no adverts.
   */
  intermission?: () => boolean;
}

/** The only network that an adapter has. */
export type WayOut = Pick<EgressLane, 'fetch' | 'pin' | 'serve' | 'proxyUrl'>;

/** Finds out where a stream plays. One folder, one line in the registry. */
export interface Platform {
  readonly descriptor: AdapterDescriptor;
  /** Domains whose pages this adapter resolves, without `www.`; unset when it belongs to no site. */
  readonly domains?: readonly string[];
  /**
   * Longest wait between two tries at a stream that fails, ms; a minute when unset. Shorter only where a try asks
   * nobody but the stream's own server: those of one server are paced together, whatever their number.
   */
  readonly longestWaitMs?: number;
  /**
   * Turns what the operator entered into something that ffmpeg plays.
   * @throws PlatformError
   */
  resolve(url: string, signal: AbortSignal, lane: WayOut): Promise<Playback>;
}

/** What a site says of a stream that does not play; a stream that plays is `live`. */
export type AirStatus = 'offline' | 'gone' | 'private' | 'geo_blocked' | 'auth_required' | 'challenge';

/**
 * Why a stream could not be resolved or played.
 * - `offline`: not on air now, try again later; `gone`: does not exist; `blocked`: refused by the other side or by
 *   our own egress rules; `changed`: answers, but not with what the adapter understands.
 * - `private`: for some viewers only; `geo_blocked`: not for this country; `auth_required`: for people who are logged
 *   in; `challenge`: the site wants proof of a browser or a person, which is not given.
 */
export class PlatformError extends AppError {
  constructor(
    readonly outcome: AirStatus | 'blocked' | 'changed',
    readonly reason: StatusReason,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(`platform.${outcome}`, 'operational', message, { reason }, options);
  }

  /** What the site itself says. */
  static of(status: AirStatus, message: string, options?: { cause?: unknown }): PlatformError {
    return new PlatformError(status, status, message, options);
  }
}
