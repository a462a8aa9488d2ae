import type { MessageEvent } from '@nestjs/common';
import { concat, concatMap, distinctUntilChanged, from, map, take, takeWhile, timer, type Observable } from 'rxjs';
import type { StreamJob } from './stream-jobs.dto.js';

/** How often the job's row is read, ms: it may run in another process. */
const INTERVAL_MS = 500;
/** Reads of one follower at most: ten minutes. */
const MOST_READS = 1_200;

/** A job as it changes, until it is over. */
export function jobEvents(read: () => Promise<StreamJob>): Observable<MessageEvent> {
  const reads = timer(INTERVAL_MS, INTERVAL_MS).pipe(take(MOST_READS), concatMap(read));
  return concat(from(read()), reads).pipe(
    takeWhile(({ state }) => state === 'running', true),
    distinctUntilChanged((a, b) => a.finished === b.finished && a.state === b.state),
    map((job) => ({ type: 'job', data: job })),
  );
}
