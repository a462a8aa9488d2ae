import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Who wants to be told of a stream, whatever its severities. */
export class StreamWatches1763901300000 implements MigrationInterface {
  readonly name = 'StreamWatches1763901300000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE stream_watches (
        stream_id uuid NOT NULL REFERENCES streams ON DELETE CASCADE,
        user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
        created_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (stream_id, user_id)
      );
      CREATE INDEX stream_watches_user_idx ON stream_watches (user_id);
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE stream_watches');
  }
}
