import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';

/** Who watches which stream. */
@Injectable()
export class WatchesRepository {
  constructor(private readonly dataSource: DataSource) {}

  async has(userId: string, streamId: string): Promise<boolean> {
    const rows = await this.dataSource.query<unknown[]>(
      'SELECT 1 FROM stream_watches WHERE stream_id = $1 AND user_id = $2',
      [streamId, userId],
    );
    return rows.length > 0;
  }

  /** What is there already stays; of a stream that has gone meanwhile nothing is noted. */
  async add(userId: string, streamId: string): Promise<void> {
    await this.dataSource.query(
      `INSERT INTO stream_watches (stream_id, user_id) SELECT id, $2 FROM streams WHERE id = $1
       ON CONFLICT DO NOTHING`,
      [streamId, userId],
    );
  }

  async remove(userId: string, streamId: string): Promise<void> {
    await this.dataSource.query('DELETE FROM stream_watches WHERE stream_id = $1 AND user_id = $2', [streamId, userId]);
  }
}
