import { Inject, Injectable } from '@nestjs/common';
import type { FactEntry, FactOrigin } from '#libs/bus/fact-stream.js';
import type { Fact, Watermark } from '#libs/contracts/facts.js';
import { messageOf } from '#libs/errors/app-error.js';
import { TransactionRunner, type Transaction } from '../database/transaction.js';
import { isDataFault } from './data-fault.js';
import { FACT_HANDLERS, type AfterCommit, type AnyFactHandler, type FactOf } from './fact-handler.js';
import { isSuspect, storable } from './storable-text.js';
import { SpoolProgressRepository } from './spool-progress.repository.js';

/** What became of a batch. */
export interface WrittenBatch {
  /** How far the spools of the batch are committed now. */
  marks: Watermark[];
  /** To be run in this order, now that all is committed. */
  effects: AfterCommit[];
  /** Number of entries that could not be stored and were put aside. */
  buried: number;
}

/** Puts an entry aside that can never be stored, with the reason. */
export type Bury = (entry: FactEntry, reason: string) => Promise<void>;

/** Writes facts and how far their spools are, together or not at all. */
@Injectable()
export class FactWriter {
  constructor(
    private readonly transactions: TransactionRunner,
    private readonly progress: SpoolProgressRepository,
    @Inject(FACT_HANDLERS) private readonly handlers: readonly AnyFactHandler[],
  ) {}

  /**
   * Stores a batch in one transaction. What does not fit the contract is buried. When other data is at fault the
   * batch is halved until the culprit is found; that one is buried too. What is buried counts as committed.
   * @throws when the database is at fault: nothing, or a front part of the batch, is stored then. Trying the whole
   * batch again is right.
   */
  async write(entries: readonly FactEntry[], bury: Bury): Promise<WrittenBatch> {
    const misfits = entries.filter(({ envelope }) => envelope === null);
    for (const entry of misfits) await bury(entry, entry.fault ?? 'does not fit the contract');
    const written = await this.storeOrHalve(entries, bury);
    return { ...written, buried: written.buried + misfits.length };
  }

  private async storeOrHalve(entries: readonly FactEntry[], bury: Bury): Promise<WrittenBatch> {
    try {
      return await this.transactions.run((tx) => this.store(tx, entries));
    } catch (error) {
      if (!isDataFault(error)) throw error;
      if (entries.length > 1) return this.halve(entries, bury);
      for (const entry of entries) await bury(entry, messageOf(error));
      const marks = await this.transactions.run((tx) => this.progress.advance(tx, originsOf(entries)));
      return { marks, effects: [], buried: entries.length };
    }
  }

  private async halve(entries: readonly FactEntry[], bury: Bury): Promise<WrittenBatch> {
    const middle = Math.ceil(entries.length / 2);
    const front = await this.storeOrHalve(entries.slice(0, middle), bury);
    try {
      const back = await this.storeOrHalve(entries.slice(middle), bury);
      return {
        marks: [...front.marks, ...back.marks],
        effects: [...front.effects, ...back.effects],
        buried: front.buried + back.buried,
      };
    } catch (error) {
      // The front half is committed: nobody would run its effects after another try, when it is all doubles.
      await runEffects(front.effects, () => undefined);
      throw error;
    }
  }

  private async store(tx: Transaction, entries: readonly FactEntry[]): Promise<WrittenBatch> {
    const facts = entries.flatMap(({ envelope, raw }) => {
      if (envelope === null) return [];
      return [isSuspect(raw) ? storable(envelope.fact) : envelope.fact];
    });
    const effects: AfterCommit[] = [];
    for (const handler of this.handlers) effects.push(...(await applyHandler(handler, tx, facts)));
    return { marks: await this.progress.advance(tx, originsOf(entries)), effects, buried: 0 };
  }
}

/** Runs effects in order; what fails is told and does not stop the others. */
export async function runEffects(effects: readonly AfterCommit[], onFailure: (error: unknown) => void): Promise<void> {
  for (const effect of effects) {
    try {
      await effect();
    } catch (error) {
      onFailure(error);
    }
  }
}

function originsOf(entries: readonly FactEntry[]): FactOrigin[] {
  return entries.flatMap(({ origin }) => (origin === null ? [] : [origin]));
}

function applyHandler(handler: AnyFactHandler, tx: Transaction, facts: readonly Fact[]): Promise<AfterCommit[]> {
  switch (handler.type) {
    case 'detection.opened':
      return apply(handler, tx, facts);
    case 'detection.context':
      return apply(handler, tx, facts);
    case 'detection.closed':
      return apply(handler, tx, facts);
    case 'transcript.written':
      return apply(handler, tx, facts);
    case 'stream.status':
      return apply(handler, tx, facts);
    case 'coverage.observed':
      return apply(handler, tx, facts);
    case 'canary.observed':
      return apply(handler, tx, facts);
    case 'canary.left':
      return apply(handler, tx, facts);
  }
}

async function apply<Type extends Fact['type']>(
  handler: { type: Type; apply(tx: Transaction, facts: readonly FactOf<Type>[]): Promise<AfterCommit[]> },
  tx: Transaction,
  facts: readonly Fact[],
): Promise<AfterCommit[]> {
  const own = facts.filter((fact): fact is FactOf<Type> => fact.type === handler.type);
  return own.length === 0 ? [] : handler.apply(tx, own);
}
