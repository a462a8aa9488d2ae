import { Inject, Injectable } from '@nestjs/common';
import { DeadFacts } from '#libs/bus/dead-facts.js';
import { messageOf } from '#libs/errors/app-error.js';
import type { Logger } from '#libs/observability/logger.js';
import { AuditTrail } from '../audit/audit-trail.js';
import { API_SETTINGS, LOGGER, type ApiSettings } from '../runtime.module.js';
import { EvidenceRemover, type Freed } from './evidence-remover.js';
import { Pace } from './pace.js';
import { AGED_TABLES, RETENTION_RULES, type AgedTable, type RetentionRule } from './retention-rules.js';
import { RetentionRepository } from './retention.repository.js';

const DAY_MS = 86_400_000;
const MB = 2 ** 20;

/** What has been removed since the process started. */
export interface RetentionStats {
  sweeps: number;
  faults: number;
  /** Batches that took too long and were tried again with fewer rows. */
  overruns: number;
  /** Rows by table, dead letters of facts among them. */
  removed: Record<string, number>;
  files: number;
  bytes: number;
  /** Bytes of evidence beyond the limit that are kept because somebody wants them kept. */
  overLimit: number;
}

/** Removes what is older than it should be kept, and the oldest evidence when there is too much of it. */
@Injectable()
export class RetentionService {
  readonly stats: RetentionStats = { sweeps: 0, faults: 0, overruns: 0, removed: {}, files: 0, bytes: 0, overLimit: 0 };

  constructor(
    @Inject(API_SETTINGS) private readonly settings: ApiSettings,
    @Inject(LOGGER) private readonly logger: Logger,
    private readonly repository: RetentionRepository,
    private readonly evidence: EvidenceRemover,
    private readonly deadFacts: DeadFacts,
    private readonly audit: AuditTrail,
  ) {}

  /** Goes through everything once; a part that fails is counted, told, and tried with the next sweep. Never rejects. */
  async sweep(signal: AbortSignal, now = Date.now()): Promise<void> {
    const pace = new Pace(signal);
    for (const rule of RETENTION_RULES) await this.part(rule.name, signal, () => this.removeOld(rule, pace, now));
    for (const table of AGED_TABLES) await this.part(table.name, signal, () => this.removeAged(table, pace, now));
    await this.part('evidence', signal, () => this.freeSpace(pace));
    await this.part('dead facts', signal, async () => {
      const before = this.before(this.settings.RETENTION_DEAD_FACTS_DAYS, now);
      if (before !== null) this.count('dead_facts', await this.deadFacts.removeBefore(before));
    });
    this.stats.overruns += pace.overruns;
    this.stats.sweeps += 1;
  }

  private async removeOld(rule: RetentionRule, pace: Pace, now: number): Promise<void> {
    const before = this.before(this.settings[rule.days], now);
    const other = rule.other === undefined ? null : this.before(this.settings[rule.other.days], now);
    const youngest = Math.max(before?.getTime() ?? -Infinity, other?.getTime() ?? -Infinity);
    if (youngest === -Infinity) return;
    let removed = 0;
    for (let after = '0'; !pace.isStopped;) {
      const from = after;
      const batch = await pace.step((size) => this.repository.removeOld(rule, from, size, { before, other }));
      removed += batch.removed;
      this.count(rule.name, batch.removed);
      // Rows behind this one were stored later.
      if (batch.seen === 0 || batch.newest.getTime() >= youngest) break;
      after = batch.last;
    }
    if (rule.name === 'audit_entries' && removed > 0) {
      const after = { removed, before: before?.toISOString() };
      await this.audit.record({ action: 'audit.cleared', target: { type: 'audit', id: 'entries' }, after });
    }
  }

  private async removeAged(table: AgedTable, pace: Pace, now: number): Promise<void> {
    const before = this.before(this.settings[table.days], now);
    for (let removed = 1; before !== null && removed > 0 && !pace.isStopped;) {
      removed = await pace.step((size) => this.repository.removeAged(table, before, size));
      this.count(table.name, removed);
    }
  }

  /** Removes files of rows that are gone; then, beyond the limit, the oldest rows with theirs until it is met. */
  private async freeSpace(pace: Pace): Promise<void> {
    this.freed(await this.evidence.run(pace));
    const limit = this.settings.RETENTION_EVIDENCE_MAX_MB * MB;
    if (limit === 0) return;
    let excess = (await this.evidence.bytes()) - limit;
    // What somebody has judged goes last.
    for (const reviewedToo of [false, true]) {
      for (let after = '0'; excess > 0 && !pace.isStopped;) {
        const from = after;
        const batch = await pace.step((size) =>
          this.repository.removeWithEvidence(from, Math.min(size, BATCH_FOR_SPACE), reviewedToo),
        );
        this.count('detections', batch.removed);
        if (batch.removed > 0) excess -= this.freed(await this.evidence.run(pace));
        if (batch.seen === 0) break;
        after = batch.last;
      }
    }
    this.stats.overLimit = Math.max(0, excess);
    if (excess > 0 && !pace.isStopped) {
      this.logger.warn({ bytes: excess }, 'evidence is beyond its limit, and all that is left is to be kept');
    }
  }

  private freed({ files, bytes }: Freed): number {
    this.stats.files += files;
    this.stats.bytes += bytes;
    return bytes;
  }

  private count(name: string, removed: number): void {
    this.stats.removed[name] = (this.stats.removed[name] ?? 0) + removed;
  }

  /** Null for never. */
  private before(days: number, now: number): Date | null {
    return days === 0 ? null : new Date(now - days * DAY_MS);
  }

  private async part(name: string, signal: AbortSignal, work: () => Promise<void>): Promise<void> {
    if (signal.aborted) return;
    try {
      await work();
    } catch (error) {
      this.stats.faults += 1;
      this.logger.warn({ part: name, error: messageOf(error) }, 'what is old could not be removed');
    }
  }
}

/** Rows that are removed before it is seen how much room that gave: a few too many at most. */
const BATCH_FOR_SPACE = 100;
