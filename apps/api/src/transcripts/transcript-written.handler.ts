import { Injectable } from '@nestjs/common';
import type { TranscriptWritten } from '#libs/contracts/facts.js';
import type { Transaction } from '../database/transaction.js';
import type { AfterCommit, FactHandler } from '../detections/fact-handler.js';
import { AppEvents } from '../events/app-events.js';
import { viewOf } from './transcripts.dto.js';
import { TranscriptsRepository } from './transcripts.repository.js';

/** Stores what was said, and tells of what is new. */
@Injectable()
export class TranscriptWrittenHandler implements FactHandler<'transcript.written'> {
  readonly type = 'transcript.written';

  constructor(
    private readonly repository: TranscriptsRepository,
    private readonly events: AppEvents,
  ) {}

  async apply(tx: Transaction, facts: readonly TranscriptWritten[]): Promise<AfterCommit[]> {
    const views = (await this.repository.insert(tx, facts)).map(viewOf);
    return views.map((view) => () => {
      this.events.emit('transcript.stored', view);
    });
  }
}
