import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Users and their sign-ins, streams, assignments, rules, notifications. */
export class Foundation1763900000000 implements MigrationInterface {
  readonly name = 'Foundation1763900000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE users (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        username text NOT NULL,
        email text NOT NULL,
        name text NOT NULL DEFAULT '',
        password_hash text NOT NULL,
        role text NOT NULL CHECK (role IN ('admin', 'agent')),
        must_change_password boolean NOT NULL DEFAULT false,
        disabled_at timestamptz,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now()
      );
      CREATE UNIQUE INDEX users_username_key ON users (lower(username));
      CREATE UNIQUE INDEX users_email_key ON users (lower(email));

      CREATE TABLE auth_sessions (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
        generation integer NOT NULL DEFAULT 1,
        expires_at timestamptz NOT NULL,
        revoked_at timestamptz,
        created_at timestamptz NOT NULL DEFAULT now()
      );
      CREATE INDEX auth_sessions_user_idx ON auth_sessions (user_id, created_at);
      CREATE TABLE refresh_tokens (
        hash text PRIMARY KEY,
        session_id uuid NOT NULL REFERENCES auth_sessions ON DELETE CASCADE,
        generation integer NOT NULL,
        used_at timestamptz
      );
      CREATE INDEX refresh_tokens_session_idx ON refresh_tokens (session_id, generation);
      CREATE TABLE app_secrets (
        name text PRIMARY KEY,
        value text NOT NULL
      );

      CREATE TABLE streams (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        name text NOT NULL,
        platform text NOT NULL DEFAULT 'url',
        url text NOT NULL,
        priority integer NOT NULL DEFAULT 5 CHECK (priority BETWEEN 1 AND 10),
        desired boolean NOT NULL DEFAULT false,
        generation integer NOT NULL DEFAULT 0,
        session bigint NOT NULL DEFAULT 0,
        status text NOT NULL DEFAULT 'stopped',
        reason text,
        detail text NOT NULL DEFAULT '',
        status_at timestamptz NOT NULL DEFAULT now(),
        status_fact_at bigint NOT NULL DEFAULT 0,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now()
      );
      CREATE UNIQUE INDEX streams_name_key ON streams (lower(name));
      CREATE INDEX streams_desired_idx ON streams (id) WHERE desired;

      CREATE TABLE assignments (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        agent_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
        stream_id uuid NOT NULL REFERENCES streams ON DELETE CASCADE,
        created_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT assignments_pair_key UNIQUE (stream_id, agent_id)
      );
      CREATE INDEX assignments_agent_idx ON assignments (agent_id);

      CREATE TABLE object_rules (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        label text NOT NULL,
        threshold double precision NOT NULL CHECK (threshold BETWEEN 0 AND 1),
        severity text NOT NULL,
        cooldown_ms integer NOT NULL CHECK (cooldown_ms >= 0),
        version integer NOT NULL DEFAULT 1,
        enabled boolean NOT NULL DEFAULT true,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now()
      );
      CREATE UNIQUE INDEX object_rules_label_key ON object_rules (lower(label));
      -- Counts every change of the rules, deletions included: the version of the set that monitors receive.
      CREATE TABLE rule_set_version (
        only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
        version integer NOT NULL
      );
      INSERT INTO rule_set_version (version) VALUES (1);

      CREATE TABLE notifications (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        seq bigint GENERATED ALWAYS AS IDENTITY,
        user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
        detection_id uuid,
        stream_id uuid REFERENCES streams ON DELETE SET NULL,
        kind text NOT NULL,
        title text NOT NULL,
        body text NOT NULL,
        severity text NOT NULL,
        read_at timestamptz,
        created_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT notifications_recipient_key UNIQUE (user_id, detection_id)
      );
      CREATE UNIQUE INDEX notifications_seq_key ON notifications (user_id, seq);
      CREATE INDEX notifications_unread_idx ON notifications (user_id, seq) WHERE read_at IS NULL;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TABLE notifications;
      DROP TABLE rule_set_version;
      DROP TABLE object_rules;
      DROP TABLE assignments;
      DROP TABLE streams;
      DROP TABLE app_secrets;
      DROP TABLE refresh_tokens;
      DROP TABLE auth_sessions;
      DROP TABLE users;
    `);
  }
}
