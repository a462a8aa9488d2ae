import { Inject, Injectable } from '@nestjs/common';
import type { FactEntry } from '#libs/bus/fact-stream.js';
import type { Fact, Watermark } from '#libs/contracts/facts.js';
import { messageOf } from '#libs/errors/app-error.js';
import { TransactionRunner, type Transaction } from '../database/transaction.js';
import { isDataFault } from './data-fault.js';
import { FACT_HANDLERS, type AfterCommit, type AnyFactHandler, type FactOf } from './fact-handler.js';
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
   * Stores a batch in one transaction. When its data is at fault it is halved until the culprit is found; that one is
   * buried and counts as committed, the rest is stored.
   * @throws when the database is at fault: nothing, or a front part of the batch, is stored then. Trying the whole
   * batch again is right.
   */
  async write(entries: readonly FactEntry[], bury: Bury): Promise<WrittenBatch> {
    try {
      return await this.transactions.run((tx) => this.store(tx, entries));
    } catch (error) {
      if (!isDataFault(error)) throw error;
      if (entries.length > 1) return this.halve(entries, bury);
      return this.giveUp(entries, messageOf(error), bury);
    }
  }

  /** Buries entries that do not even fit the contract. */
  async giveUp(entries: readonly FactEntry[], reason: string, bury: Bury): Promise<WrittenBatch> {
    for (const entry of entries) await bury(entry, entry.fault ?? reason);
    const origins = entries.flatMap(({ origin }) => (origin === null ? [] : [origin]));
    const marks = await this.transactions.run((tx) => this.progress.advance(tx, origins));
    return { marks, effects: [], buried: entries.length };
  }

  private async halve(entries: readonly FactEntry[], bury: Bury): Promise<WrittenBatch> {
    const middle = Math.ceil(entries.length / 2);
    const front = await this.write(entries.slice(0, middle), bury);
    try {
      const back = await this.write(entries.slice(middle), bury);
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
    const facts = entries.flatMap(({ envelope }) => (envelope === null ? [] : [envelope.fact]));
    const effects: AfterCommit[] = [];
    for (const handler of this.handlers) effects.push(...(await applyHandler(handler, tx, facts)));
    const origins = entries.flatMap(({ origin }) => (origin === null ? [] : [origin]));
    return { marks: await this.progress.advance(tx, origins), effects, buried: 0 };
  }
}

/** Runs effects in order; what fails is told and does not stop the others. */
export async function runEffects(
  effects: readonly AfterCommit[],
  onFailure: (error: unknown) => void,
): Promise<void> {
  for (const effect of effects) {
    try {
      await effect();
    } catch (error) {
      onFailure(error);
    }
  }
}

function applyHandler(handler: AnyFactHandler, tx: Transaction, facts: readonly Fact[]): Promise<AfterCommit[]> {
  switch (handler.type) {
    case 'detection.opened':
      return apply(handler, tx, facts);
    case 'detection.closed':
      return apply(handler, tx, facts);
    case 'stream.status':
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
