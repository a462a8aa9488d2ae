import type { Fact } from '#libs/contracts/facts.js';
import type { Transaction } from '../database/transaction.js';

/** The facts of one type. */
export type FactOf<Type extends Fact['type']> = Extract<Fact, { type: Type }>;

/** Something to do once the transaction is committed, such as telling clients. Failures are logged, never retried. */
export type AfterCommit = () => void | Promise<void>;

/** Stores the facts of one type. The room that owns the tables provides the handler. */
export interface FactHandler<Type extends Fact['type'] = Fact['type']> {
  readonly type: Type;
  /**
   * Writes a batch inside the ingest's transaction. The same fact may come twice: the second time must change
   * nothing and return no effect for it.
   * @throws when a fact cannot be stored; the ingest then finds the culprit one by one and buries it.
   */
  apply(tx: Transaction, facts: readonly FactOf<Type>[]): Promise<AfterCommit[]>;
}

/** A handler of any one type, as the ingest holds them: each is given the facts of its own type alone. */
export type AnyFactHandler = { [Type in Fact['type']]: FactHandler<Type> }[Fact['type']];

/** Injection token of every {@link AnyFactHandler}, in the order in which they are applied within a batch. */
export const FACT_HANDLERS = Symbol('FACT_HANDLERS');
