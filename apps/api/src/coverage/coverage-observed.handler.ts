import { Injectable } from '@nestjs/common';
import type { CoverageObserved } from '#libs/contracts/facts.js';
import type { Transaction } from '../database/transaction.js';
import type { AfterCommit, FactHandler } from '../detections/fact-handler.js';
import { CoverageRepository } from './coverage.repository.js';

/** Keeps what monitors say that they have watched. */
@Injectable()
export class CoverageObservedHandler implements FactHandler<'coverage.observed'> {
  readonly type = 'coverage.observed';

  constructor(private readonly repository: CoverageRepository) {}

  async apply(tx: Transaction, facts: readonly CoverageObserved[]): Promise<AfterCommit[]> {
    await this.repository.store(tx, facts);
    return [];
  }
}
