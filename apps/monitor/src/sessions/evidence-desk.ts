import { messageOf } from '#libs/errors/app-error.js';
import type { EvidenceStore } from '#libs/evidence/evidence-store.js';
import type { Logger } from '#libs/observability/logger.js';
import type { Spool } from '../outbox/spool.js';

/** Puts evidence into the store. Under pressure it is shed and counted, and the record kept. */
export class EvidenceDesk {
  constructor(
    private readonly spool: Pick<Spool, 'pressure' | 'frameShed'>,
    private readonly store: Pick<EvidenceStore, 'put'>,
    private readonly logger: Logger,
  ) {}

  /** @param make gives the bytes; not called when they are shed. @returns the key and size, null when shed */
  async keep(key: string, make: () => Buffer<ArrayBufferLike>): Promise<{ key: string; bytes: number } | null> {
    if (this.spool.pressure().shedFrames) {
      this.spool.frameShed();
      return null;
    }
    try {
      const content = make();
      await this.store.put(key, content);
      return { key, bytes: content.length };
    } catch (error) {
      this.spool.frameShed();
      this.logger.error({ key, error: messageOf(error) }, 'evidence could not be kept');
      return null;
    }
  }
}
