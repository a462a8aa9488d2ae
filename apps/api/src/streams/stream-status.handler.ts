import { Injectable } from '@nestjs/common';
import type { StreamStatusChanged } from '#libs/contracts/facts.js';
import type { Transaction } from '../database/transaction.js';
import type { AfterCommit, FactHandler } from '../detections/fact-handler.js';
import { AppEvents } from '../events/app-events.js';
import { applyStatusFacts } from './status-facts.js';

/**
 * Keeps what a stream's session last said. What an older session, an older generation or an earlier moment of the
 * same session says changes nothing.
 */
@Injectable()
export class StreamStatusHandler implements FactHandler<'stream.status'> {
  readonly type = 'stream.status';

  constructor(private readonly events: AppEvents) {}

  async apply(tx: Transaction, facts: readonly StreamStatusChanged[]): Promise<AfterCommit[]> {
    const changed = await applyStatusFacts(tx, [...newestOf(facts).values()]);
    return changed.map((event) => () => {
      this.events.emit('stream.status', event);
    });
  }
}

/** The newest fact of each stream: of several only the last can have an effect. */
function newestOf(facts: readonly StreamStatusChanged[]): Map<string, StreamStatusChanged> {
  const newest = new Map<string, StreamStatusChanged>();
  for (const fact of facts) {
    const known = newest.get(fact.streamId);
    const newer =
      known === undefined ||
      fact.generation > known.generation ||
      (fact.generation === known.generation &&
        (fact.session > known.session || (fact.session === known.session && fact.at >= known.at)));
    if (newer) newest.set(fact.streamId, fact);
  }
  return newest;
}
