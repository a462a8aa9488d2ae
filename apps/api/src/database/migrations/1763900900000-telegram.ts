import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The Telegram bot: codes that link a chat, and messages that are brought up to date after they were sent. */
export class Telegram1763900900000 implements MigrationInterface {
  readonly name = 'Telegram1763900900000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE telegram_codes (
        -- One at a time: a new code voids the one before.
        user_id uuid PRIMARY KEY REFERENCES users ON DELETE CASCADE,
        code_hash text NOT NULL UNIQUE,
        expires_at timestamptz NOT NULL
      );

      ALTER TABLE deliveries
        -- What the message says of its alert; null where it is not brought up to date (any more).
        ADD shown_count integer,
        ADD shown_acknowledged boolean,
        ADD edited_at timestamptz,
        ADD edit_failures integer NOT NULL DEFAULT 0;

      -- Alerts whose messages may be out of date.
      CREATE INDEX alerts_changed_idx ON alerts (greatest(last_at, acknowledged_at));
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP INDEX alerts_changed_idx;
      ALTER TABLE deliveries DROP edit_failures, DROP edited_at, DROP shown_acknowledged, DROP shown_count;
      DROP TABLE telegram_codes;
    `);
  }
}
