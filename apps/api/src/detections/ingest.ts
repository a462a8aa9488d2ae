import { setTimeout as sleep } from 'node:timers/promises';
import type { FactConsumer, FactEntry } from '#libs/bus/fact-stream.js';
import type { WatermarkBoard } from '#libs/bus/watermarks.js';
import type { Watermark } from '#libs/contracts/facts.js';
import { messageOf } from '#libs/errors/app-error.js';
import type { Logger } from '#libs/observability/logger.js';
import { runEffects, type FactWriter, type WrittenBatch } from './fact-writer.js';
import type { LeaderLock } from '../database/leader-lock.js';
import type { SpoolProgressRepository } from './spool-progress.repository.js';

export interface IngestOptions {
  /** Facts of one transaction at most. Many together are cheaper: alerts and counts are written once for each batch. */
  batch: number;
  /** How long a read waits for the first fact, ms. */
  blockMs: number;
  /** Time between two tries to become the reader, and after a fault, ms. */
  retryMs: number;
  /** How often watermarks are published anew and abandoned entries are looked for, ms. */
  tendMs: number;
  now: () => number;
}

export const INGEST_DEFAULTS: IngestOptions = {
  batch: 2_000,
  blockMs: 1_000,
  retryMs: 1_000,
  tendMs: 2_000,
  now: Date.now,
};

/** What the ingest works with; whoever opened the connections closes them. */
export interface IngestParts {
  lock: LeaderLock;
  consumer: FactConsumer;
  watermarks: WatermarkBoard;
  writer: FactWriter;
  progress: SpoolProgressRepository;
  logger: Logger;
}

/** What was read ahead when nothing was. */
const NOTHING: Promise<FactEntry[]> = Promise.resolve([]);

/** Spools whose watermark is published anew at most. */
const MOST_SPOOLS = 1_000;

/**
 * Moves facts from the stream into the database: one reader at a time among all api processes. A batch is one
 * transaction; then its watermark is published, its entries are settled, and clients are told. A fault in between
 * makes entries come again, which changes nothing: rows are absorbed by their key, watermarks only grow.
 *
 * While Postgres works on one batch, the next is read and clients are told of the one before, so that a backlog keeps
 * both busy.
 */
export class Ingest {
  /** What happened since the start. */
  readonly stats = { read: 0, buried: 0, batches: 0, faults: 0 };
  private readonly options: IngestOptions;
  private readonly marks = new Map<string, number>();
  private stopping = new AbortController();
  private loop: Promise<void> | null = null;
  private tendedAt = Number.NEGATIVE_INFINITY;
  private lastFault = '';

  constructor(
    private readonly parts: IngestParts,
    options: Partial<IngestOptions> = {},
  ) {
    this.options = { ...INGEST_DEFAULTS, ...options };
  }

  /** Whether this process is the one that reads. */
  get isLeading(): boolean {
    return this.parts.lock.isHeld;
  }

  /** Starts; never rejects, whatever is away is waited for. */
  start(): void {
    this.stopping = new AbortController();
    this.loop ??= this.run();
  }

  /** Ends after the batch at hand and gives the lock up, so that another process goes on at once. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.loop;
    this.loop = null;
  }

  private get isStopping(): boolean {
    return this.stopping.signal.aborted;
  }

  private async run(): Promise<void> {
    const { lock } = this.parts;
    while (!this.isStopping) {
      try {
        const leads = await lock.tryAcquire(() => undefined);
        if (leads) await this.lead();
      } catch (error) {
        this.fail(error, 'the ingest waits for Postgres or Redis');
      }
      await this.rest();
    }
    await lock.release();
  }

  /** Reads for as long as the lock is held. */
  private async lead(): Promise<void> {
    const { lock, consumer, progress, logger } = this.parts;
    logger.info('this process stores facts');
    this.marks.clear();
    for (const mark of await progress.recent()) this.remember(mark);
    this.tendedAt = Number.NEGATIVE_INFINITY;
    while (lock.isHeld && !this.isStopping) {
      try {
        await this.tend();
        await this.takeAll(await consumer.read(this.options.batch, this.options.blockMs));
      } catch (error) {
        // Redis was wiped or restarted, or is away: the group is made anew with the next tending.
        this.fail(error, 'the ingest waits for Redis');
        this.tendedAt = Number.NEGATIVE_INFINITY;
        await this.rest();
      }
    }
  }

  /** Makes sure of lock and group, publishes watermarks for a Redis that forgot them, takes over abandoned entries. */
  private async tend(): Promise<void> {
    const { lock, consumer, watermarks } = this.parts;
    if (!this.isTendingDue || !(await lock.check())) return;
    await consumer.ensureGroup();
    for (const [spoolId, seq] of this.marks) await watermarks.publish({ spoolId, seq });
    // Only the lock's holder reads, so whatever is pending now was left by somebody who is gone, or by a reply that
    // never reached us.
    for (;;) {
      const entries = await consumer.claimAbandoned(this.options.batch, 0);
      if (entries.length === 0 || !lock.isHeld || this.isStopping) break;
      await this.takeAll(entries);
    }
    this.tendedAt = this.options.now();
  }

  private get isTendingDue(): boolean {
    return this.options.now() - this.tendedAt >= this.options.tendMs;
  }

  /** Takes a batch, and those behind it for as long as they are full ones. Nothing is read or told any more at its end. */
  private async takeAll(first: readonly FactEntry[]): Promise<void> {
    let entries = first;
    let ahead: Promise<FactEntry[]> = NOTHING;
    let concluded: Promise<void> = Promise.resolve();
    try {
      while (entries.length > 0) {
        ahead = this.readAhead(entries.length);
        this.stats.read += entries.length;
        const written = await this.store(entries);
        if (written === null) return;
        await concluded;
        concluded = this.conclude(entries, written);
        // Its fault is looked at when the next batch is stored, or at the end.
        concluded.catch(() => undefined);
        entries = await ahead;
      }
    } finally {
      // What was read and is not stored is pending, and comes again with the next tending.
      await Promise.allSettled([ahead, concluded]);
    }
    await concluded;
  }

  private readAhead(taken: number): Promise<FactEntry[]> {
    if (taken < this.options.batch || this.isTendingDue || this.isStopping) return NOTHING;
    const ahead = this.parts.consumer.read(this.options.batch, null);
    // Looked at when the batch at hand is stored.
    ahead.catch(() => undefined);
    return ahead;
  }

  /** After the commit: publishes how far the spools are, settles the entries, tells clients. */
  private async conclude(entries: readonly FactEntry[], written: WrittenBatch): Promise<void> {
    const { consumer, watermarks } = this.parts;
    this.lastFault = '';
    this.stats.batches += 1;
    this.stats.buried += written.buried;
    try {
      for (const mark of written.marks) this.remember(mark);
      for (const spoolId of new Set(written.marks.map((mark) => mark.spoolId))) {
        await watermarks.publish({ spoolId, seq: this.marks.get(spoolId) ?? 0 });
      }
      await consumer.settle(entries.map(({ id }) => id));
    } finally {
      // The rows are there: whether Redis took the receipt or not, clients are told now or never.
      await runEffects(written.effects, (error) => this.fail(error, 'something after a commit failed'));
    }
  }

  /** @returns null when the ingest ends, or lost its lock, before the database took them. */
  private async store(entries: readonly FactEntry[]): Promise<WrittenBatch | null> {
    const { writer, consumer, lock, logger } = this.parts;
    const buried = new Set<string>();
    const bury = async (entry: FactEntry, reason: string): Promise<void> => {
      // A fact that was sent twice is put aside once.
      const name = entry.origin === null ? entry.id : `${entry.origin.spoolId} ${entry.origin.seq}`;
      if (buried.has(name)) return;
      await consumer.bury(entry, reason);
      buried.add(name);
      logger.error({ entry: entry.id, reason }, 'a fact cannot be stored and was put aside');
    };
    while (!this.isStopping && lock.isHeld) {
      try {
        return await writer.write(entries, bury);
      } catch (error) {
        this.fail(error, 'facts wait for Postgres');
        await this.rest();
      }
    }
    return null;
  }

  private remember({ spoolId, seq }: Watermark): void {
    const known = this.marks.get(spoolId) ?? 0;
    this.marks.delete(spoolId);
    this.marks.set(spoolId, Math.max(known, seq));
    if (this.marks.size <= MOST_SPOOLS) return;
    const oldest = this.marks.keys().next().value;
    if (oldest !== undefined) this.marks.delete(oldest);
  }

  private fail(error: unknown, what: string): void {
    this.stats.faults += 1;
    const fault = `${what}: ${messageOf(error)}`;
    // One line for each new kind of fault, not one for each try.
    if (!this.isStopping && fault !== this.lastFault) this.parts.logger.warn({ error: messageOf(error) }, what);
    this.lastFault = fault;
  }

  private async rest(): Promise<void> {
    await sleep(this.options.retryMs, undefined, { signal: this.stopping.signal }).catch(() => undefined);
  }
}
