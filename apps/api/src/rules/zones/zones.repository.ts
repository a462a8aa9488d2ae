import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { isForeignKeyViolation, uniqueViolation } from '../../database/constraint-violations.js';
import type { Transaction } from '../../database/transaction.js';
import type { Precondition } from '../../http/etag.js';
import { streamNotFound } from '../../streams/streams.errors.js';
import { RuleSetRepository } from '../rule-set.repository.js';
import { ZoneEntity, type ZoneFields } from './zone.entity.js';
import { tooManyZones, zoneNameTaken } from './zones.errors.js';

/** Zones of one stream, and of all together; the wire contract has the second limit. */
const MOST_PER_STREAM = 50;
const MOST_ZONES = 10_000;

/** Which zone is meant. */
export type ZoneKey = Pick<ZoneEntity, 'streamId' | 'id'>;

/** The table of zones. Every change grows the version of the whole rule set in the same transaction. */
@Injectable()
export class ZonesRepository {
  constructor(
    private readonly dataSource: DataSource,
    private readonly ruleSets: RuleSetRepository,
  ) {}

  /** All of a stream, by name. */
  list(streamId: string): Promise<ZoneEntity[]> {
    return this.dataSource.manager.find(ZoneEntity, { where: { streamId }, order: { name: 'ASC', id: 'ASC' } });
  }

  find(streamId: string, id: string): Promise<ZoneEntity | null> {
    return this.dataSource.manager.findOneBy(ZoneEntity, { streamId, id });
  }

  /** @throws AppError `stream.not_found`, `zone.name.conflict`, `zone.limit.conflict`. */
  create(streamId: string, fields: ZoneFields): Promise<ZoneEntity> {
    return this.changing(async (tx) => {
      if ((await tx.countBy(ZoneEntity, { streamId })) >= MOST_PER_STREAM) {
        throw tooManyZones(MOST_PER_STREAM, 'on a stream');
      }
      if ((await tx.count(ZoneEntity)) >= MOST_ZONES) throw tooManyZones(MOST_ZONES, 'in all');
      return tx.save(tx.create(ZoneEntity, { ...fields, streamId, version: 1 }));
    });
  }

  /**
   * @returns the zone as it was and as it is then, null when there is none.
   * @throws AppError `zone.name.conflict`, `request.version.precondition_failed`.
   */
  update(
    key: ZoneKey,
    changes: Partial<ZoneFields>,
    precondition: Precondition,
  ): Promise<{ before: ZoneEntity; row: ZoneEntity } | null> {
    return this.changing(async (tx) => {
      const before = await tx.findOneBy(ZoneEntity, key);
      if (before === null) return null;
      precondition.require(before.version);
      return { before, row: await tx.save(ZoneEntity, { ...before, ...changes, version: before.version + 1 }) };
    });
  }

  /** @returns what there was, null for nothing. @throws AppError `request.version.precondition_failed`. */
  remove(key: ZoneKey, precondition: Precondition): Promise<ZoneEntity | null> {
    return this.changing(async (tx) => {
      const before = await tx.findOneBy(ZoneEntity, key);
      if (before === null) return null;
      precondition.require(before.version);
      await tx.delete(ZoneEntity, key);
      return before;
    });
  }

  private async changing<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    try {
      return await this.ruleSets.changing(work);
    } catch (error) {
      if (uniqueViolation(error) === 'zones_name_key') throw zoneNameTaken();
      if (isForeignKeyViolation(error)) throw streamNotFound();
      throw error;
    }
  }
}
