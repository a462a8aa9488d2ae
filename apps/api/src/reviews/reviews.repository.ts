import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { TransactionRunner } from '../database/transaction.js';
import { DetectionEntity } from '../detections/detection.entity.js';
import { UserEntity } from '../users/user.entity.js';
import { VerdictEntity } from './verdict.entity.js';

/** Verdicts of one finding that are shown at most. */
const MOST = 200;

/** A verdict with the name of who gave it. */
export interface NamedVerdict extends Omit<VerdictEntity, 'id'> {
  username: string | null;
}

/** The table of verdicts. */
@Injectable()
export class ReviewsRepository {
  constructor(
    private readonly dataSource: DataSource,
    private readonly transactions: TransactionRunner,
  ) {}

  /** Adds a verdict and has it stand. */
  async add(verdict: Pick<VerdictEntity, 'detectionId' | 'userId' | 'verdict' | 'note'>): Promise<void> {
    await this.transactions.run(async (tx) => {
      await tx.insert(VerdictEntity, verdict);
      await tx.update(DetectionEntity, { id: verdict.detectionId }, { verdict: verdict.verdict });
    });
  }

  /** Newest first. */
  history(detectionId: string): Promise<NamedVerdict[]> {
    return this.dataSource
      .getRepository(VerdictEntity)
      .createQueryBuilder('v')
      .leftJoin(UserEntity, 'u', 'u.id = v.user_id')
      .select('v.detection_id', 'detectionId')
      .addSelect('v.user_id', 'userId')
      .addSelect('v.verdict', 'verdict')
      .addSelect('v.note', 'note')
      .addSelect('v.created_at', 'createdAt')
      .addSelect('u.username', 'username')
      .where('v.detection_id = :detectionId', { detectionId })
      .orderBy('v.created_at', 'DESC')
      .limit(MOST)
      .getRawMany<NamedVerdict>();
  }
}
