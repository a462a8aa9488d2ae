import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { isForeignKeyViolation, uniqueViolation } from '../../database/constraint-violations.js';
import type { Transaction } from '../../database/transaction.js';
import { streamNotFound } from '../../streams/streams.errors.js';
import { RuleSetRepository } from '../rule-set.repository.js';
import { ZoneEntity, type ZoneFields } from './zone.entity.js';
import { tooManyZones, zoneNameTaken } from './zones.errors.js';

/** Zones of one stream, and of all together; the wire contract has the second limit. */
const MOST_PER_STREAM = 50;
const MOST_ZONES = 10_000;

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

  /** @returns the zone as it is then, null when there is none. @throws AppError `zone.name.conflict`. */
  update(streamId: string, id: string, changes: Partial<ZoneFields>): Promise<ZoneEntity | null> {
    return this.changing(async (tx) => {
      const row = await tx.findOneBy(ZoneEntity, { streamId, id });
      return row === null ? null : tx.save(ZoneEntity, { ...row, ...changes, version: row.version + 1 });
    });
  }

  /** @returns whether there was one. */
  remove(streamId: string, id: string): Promise<boolean> {
    return this.changing(async (tx) => ((await tx.delete(ZoneEntity, { streamId, id })).affected ?? 0) > 0);
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
