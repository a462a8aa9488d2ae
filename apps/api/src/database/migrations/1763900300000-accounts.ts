import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What people say of themselves, invitations, reset codes, and answers kept for repeated requests. */
export class Accounts1763900300000 implements MigrationInterface {
  readonly name = 'Accounts1763900300000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE users
        ADD COLUMN bio text NOT NULL DEFAULT '',
        ADD COLUMN receive_updates boolean NOT NULL DEFAULT true,
        ADD COLUMN version integer NOT NULL DEFAULT 1;

      ALTER TABLE auth_sessions
        ADD COLUMN user_agent text NOT NULL DEFAULT '',
        ADD COLUMN address text NOT NULL DEFAULT '',
        ADD COLUMN last_used_at timestamptz NOT NULL DEFAULT now();

      CREATE TABLE invitations (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        code_hash text NOT NULL,
        email text,
        invited_by uuid REFERENCES users ON DELETE SET NULL,
        expires_at timestamptz NOT NULL,
        used_at timestamptz,
        used_by uuid REFERENCES users ON DELETE SET NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT invitations_code_key UNIQUE (code_hash)
      );
      CREATE INDEX invitations_created_idx ON invitations (created_at, id);

      CREATE TABLE password_resets (
        code_hash text PRIMARY KEY,
        user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
        expires_at timestamptz NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now()
      );
      CREATE INDEX password_resets_user_idx ON password_resets (user_id, created_at);

      CREATE TABLE idempotency_keys (
        user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
        route text NOT NULL,
        key_hash text NOT NULL,
        fingerprint text NOT NULL,
        claim uuid NOT NULL,
        status integer,
        answer bytea,
        created_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (user_id, route, key_hash)
      );
      CREATE INDEX idempotency_keys_created_idx ON idempotency_keys (created_at);
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TABLE idempotency_keys;
      DROP TABLE password_resets;
      DROP TABLE invitations;
      ALTER TABLE auth_sessions DROP COLUMN user_agent, DROP COLUMN address, DROP COLUMN last_used_at;
      ALTER TABLE users DROP COLUMN bio, DROP COLUMN receive_updates, DROP COLUMN version;
    `);
  }
}
