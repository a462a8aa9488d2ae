import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';

/** An open transaction; repositories take it where their writes must stand or fall with others. */
export type Transaction = EntityManager;

/** Runs work in one transaction: all of it is committed, or none. */
@Injectable()
export class TransactionRunner {
  constructor(private readonly dataSource: DataSource) {}

  /** @throws whatever `work` throws, after the rollback. */
  run<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.dataSource.transaction(work);
  }
}
