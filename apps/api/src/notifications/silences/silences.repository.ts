import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { isForeignKeyViolation } from '../../database/constraint-violations.js';

/** A silence as it is stored. */
export interface SilenceRow {
  id: string;
  streamId: string | null;
  ruleId: string | null;
  label: string | null;
  startsAt: Date;
  endsAt: Date;
  reason: string;
  createdBy: string | null;
  createdAt: Date;
}

/** What makes a silence. */
export type NewSilence = Omit<SilenceRow, 'id' | 'createdAt'>;

const COLUMNS = `id, stream_id AS "streamId", rule_id AS "ruleId", label, starts_at AS "startsAt", ends_at AS "endsAt",
  reason, created_by AS "createdBy", created_at AS "createdAt"`;

/** The table of silences. */
@Injectable()
export class SilencesRepository {
  constructor(private readonly dataSource: DataSource) {}

  /** Those that end latest first, after the given one. @param active only those that have not ended. */
  list(active: boolean, after: [string, string] | null, limit: number): Promise<SilenceRow[]> {
    return this.dataSource.query(
      `SELECT ${COLUMNS} FROM silences
       WHERE (NOT $1 OR ends_at > now()) AND ($2::timestamptz IS NULL OR (ends_at, id) < ($2, $3::uuid))
       ORDER BY ends_at DESC, id DESC LIMIT $4`,
      [active, after?.[0] ?? null, after?.[1] ?? null, limit],
    );
  }

  async find(id: string): Promise<SilenceRow | null> {
    const [row] = await this.dataSource.query<SilenceRow[]>(`SELECT ${COLUMNS} FROM silences WHERE id = $1`, [id]);
    return row ?? null;
  }

  /** @returns null when there is no such stream. */
  async create(silence: NewSilence): Promise<SilenceRow | null> {
    const { streamId, ruleId, label, startsAt, endsAt, reason, createdBy } = silence;
    try {
      const [row] = await this.dataSource.query<SilenceRow[]>(
        `INSERT INTO silences (stream_id, rule_id, label, starts_at, ends_at, reason, created_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING ${COLUMNS}`,
        [streamId, ruleId, label, startsAt, endsAt, reason, createdBy],
      );
      return row ?? null;
    } catch (error) {
      if (isForeignKeyViolation(error)) return null;
      throw error;
    }
  }

  async update(id: string, endsAt: Date, reason: string): Promise<void> {
    await this.dataSource.query('UPDATE silences SET ends_at = $2, reason = $3 WHERE id = $1', [id, endsAt, reason]);
  }

  async remove(id: string): Promise<void> {
    await this.dataSource.query('DELETE FROM silences WHERE id = $1', [id]);
  }
}
