import { setTimeout as wait } from 'node:timers/promises';
import type { StreamStatus } from '#libs/contracts/primitives.js';
import type { StreamEntity } from '../stream.entity.js';
import type { StreamJobResult } from './stream-jobs.dto.js';

/** How often a stream is looked at, ms: what its session says may be stored by another process. */
const INTERVAL_MS = 500;

/** What a status means for whoever waits for the stream; null while it is on its way. */
const OUTCOMES: Readonly<Record<StreamStatus, StreamJobResult['outcome'] | null>> = {
  live: 'on_air',
  degraded: 'on_air',
  offline: 'not_on_air',
  error: 'not_on_air',
  stopped: 'skipped',
  pending: null,
  starting: null,
};

/**
 * Waits until a stream has come on air, or it is known that it does not.
 * @param read the stream as it is now
 * @param signal ends the wait
 */
export async function settled(
  read: () => Promise<StreamEntity>,
  signal: AbortSignal,
): Promise<Pick<StreamJobResult, 'outcome' | 'detail'>> {
  while (!signal.aborted) {
    const { status, detail } = await read();
    const outcome = OUTCOMES[status];
    if (outcome !== null) return { outcome, detail };
    await wait(INTERVAL_MS, undefined, { signal }).catch(() => undefined);
  }
  return { outcome: 'timeout', detail: 'No news of it within a minute.' };
}
