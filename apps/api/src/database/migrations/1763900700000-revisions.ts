import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Counts the edits of a stream apart from what the monitoring changes, so that two people do not undo each other. */
export class Revisions1763900700000 implements MigrationInterface {
  readonly name = 'Revisions1763900700000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE streams ADD revision integer NOT NULL DEFAULT 1');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE streams DROP revision');
  }
}
