import type { StatusReason, StreamStatus } from '#libs/contracts/primitives.js';
import { messageOf } from '#libs/errors/app-error.js';
import { CaptureError } from '../capture/capture-error.js';
import { PlatformError } from '../platforms/platform.port.js';

/** What a fault means for the stream. */
export interface Diagnosis {
  status: StreamStatus;
  reason: StatusReason;
  /** A sentence for a person. */
  detail: string;
}

/** Faults that time alone may mend: the source is not on air. The others need somebody to change something. */
const TRANSIENT: ReadonlySet<StatusReason> = new Set([
  'not_found',
  'offline',
  'gone',
  'unreachable',
  'stalled',
  'ended',
  'capture_failed',
]);
/** So many failures in a row make a transient fault "offline"; before, the stream is starting again. */
const OFFLINE_AFTER = 3;

/**
 * Reads a fault of resolve or capture.
 * @param failures failures in a row before this one
 */
export function diagnose(error: unknown, failures: number): Diagnosis {
  const reason = error instanceof PlatformError || error instanceof CaptureError ? error.reason : 'capture_failed';
  const detail = messageOf(error);
  if (!TRANSIENT.has(reason)) return { status: 'error', reason, detail };
  return { status: failures + 1 >= OFFLINE_AFTER ? 'offline' : 'starting', reason, detail };
}

/** Faults that have nothing to do with how the sound is coded. */
const NOT_THE_SOUND: ReadonlySet<StatusReason> = new Set([
  'stalled',
  ...(['unknown_host', 'refused_address', 'not_found', 'forbidden', 'unsupported_scheme', 'unreachable'] as const),
  'budget_exceeded',
]);

/** Whether a run that brought no picture may have failed for its sound, so that it is worth a try without. */
export function maySoundBeWhy(error: unknown): boolean {
  return error instanceof CaptureError && !NOT_THE_SOUND.has(error.reason);
}

/** Whether a fault says that nothing is on air: the site says so, or what played has come to an end. */
export function isOffAir(error: unknown): boolean {
  if (error instanceof PlatformError) return error.outcome === 'offline' || error.outcome === 'gone';
  return error instanceof CaptureError && error.reason === 'ended';
}

/** Whether an address that has played may simply be void by now. */
export function mayHaveExpired(error: unknown): boolean {
  return error instanceof CaptureError && (error.reason === 'forbidden' || error.reason === 'not_found');
}
