import { Inject, Injectable } from '@nestjs/common';
import { messageOf } from '#libs/errors/app-error.js';
import type { EvidenceStore } from '#libs/evidence/evidence-store.js';
import type { Logger } from '#libs/observability/logger.js';
import { EVIDENCE_STORE } from '../detections/detections.service.js';
import { LOGGER } from '../runtime.module.js';
import type { Pace } from './pace.js';
import { RetentionRepository } from './retention.repository.js';

/** Files that are removed at once. */
const AT_ONCE = 8;
/** What users attach lies in the same store, and another room looks after it. */
const isEvidence = (key: string): boolean => !key.startsWith('attachments/');

/** What was removed from the store. */
export interface Freed {
  files: number;
  bytes: number;
  /** Files that could not be removed; they are tried again with the next sweep. */
  failed: number;
}

/** Takes evidence out of the store whose detection is gone. */
@Injectable()
export class EvidenceRemover {
  constructor(
    private readonly repository: RetentionRepository,
    @Inject(EVIDENCE_STORE) private readonly store: EvidenceStore,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** Bytes of all evidence, what is to be removed included. */
  bytes(): Promise<number> {
    return this.store.bytes(isEvidence);
  }

  /** Removes what is to be removed, all of it. */
  async run(pace: Pace): Promise<Freed> {
    const freed = { files: 0, bytes: 0, failed: 0 };
    for (let after = ''; !pace.isStopped;) {
      const from = after;
      const keys = await pace.step(async (size) => {
        const found = await this.repository.evidenceToRemove(from, size);
        const gone = await this.removeAll(found, freed);
        if (gone.length > 0) await this.repository.forgetEvidence(gone);
        return found;
      });
      const last = keys.at(-1);
      if (last === undefined) break;
      after = last;
    }
    return freed;
  }

  private async removeAll(keys: readonly string[], freed: Freed): Promise<string[]> {
    const gone: string[] = [];
    const waiting = [...keys];
    const lane = async (): Promise<void> => {
      for (let key = waiting.pop(); key !== undefined; key = waiting.pop()) {
        try {
          const bytes = await this.store.delete(key);
          freed.bytes += bytes;
          freed.files += 1;
          gone.push(key);
        } catch (error) {
          freed.failed += 1;
          if (freed.failed === 1) this.logger.warn({ key, error: messageOf(error) }, 'evidence could not be removed');
        }
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, lane));
    return gone;
  }
}
