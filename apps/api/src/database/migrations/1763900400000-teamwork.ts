import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Who does what: the audit trail, what people say of findings, how assignments are weighed, jobs on streams. */
export class Teamwork1763900400000 implements MigrationInterface {
  readonly name = 'Teamwork1763900400000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE audit_entries (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        seq bigint GENERATED ALWAYS AS IDENTITY,
        at timestamptz NOT NULL DEFAULT now(),
        -- No reference: an entry outlives whom and what it is about.
        actor_id uuid,
        actor_name text NOT NULL,
        action text NOT NULL,
        target_type text NOT NULL,
        target_id text NOT NULL,
        target_name text NOT NULL DEFAULT '',
        before jsonb,
        after jsonb,
        request_id text,
        address text
      );
      CREATE UNIQUE INDEX audit_entries_seq_key ON audit_entries (seq);
      CREATE INDEX audit_entries_actor_idx ON audit_entries (actor_id, seq DESC);
      CREATE INDEX audit_entries_target_idx ON audit_entries (target_type, target_id, seq DESC);
      CREATE INDEX audit_entries_action_idx ON audit_entries (action, seq DESC);

      CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'the audit trail is append-only'; END $$;
      CREATE TRIGGER audit_entries_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entries
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

      ALTER TABLE assignments
        ADD priority integer NOT NULL DEFAULT 5 CHECK (priority BETWEEN 1 AND 10),
        ADD notes text NOT NULL DEFAULT '',
        ADD automatic boolean NOT NULL DEFAULT false;

      -- How many streams an agent looks after at most; null for any number.
      ALTER TABLE users ADD capacity integer CHECK (capacity >= 0);

      CREATE TABLE verdicts (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        detection_id uuid NOT NULL REFERENCES detections ON DELETE CASCADE,
        user_id uuid REFERENCES users ON DELETE SET NULL,
        verdict text NOT NULL CHECK (verdict IN ('true', 'false', 'unsure')),
        note text NOT NULL DEFAULT '',
        created_at timestamptz NOT NULL DEFAULT now()
      );
      CREATE INDEX verdicts_detection_idx ON verdicts (detection_id, created_at DESC);
      CREATE INDEX verdicts_user_idx ON verdicts (user_id, created_at DESC);
      -- The verdict that stands, beside the finding, so that lists can be filtered by it.
      ALTER TABLE detections ADD verdict text;
      CREATE INDEX detections_verdict_idx ON detections (verdict, seq DESC);
      CREATE INDEX detections_detected_idx ON detections (detected_at);
      CREATE INDEX detections_severity_idx ON detections (severity, seq DESC);

      CREATE TABLE stream_jobs (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        kind text NOT NULL CHECK (kind IN ('start', 'import', 'refresh')),
        user_id uuid REFERENCES users ON DELETE SET NULL,
        state text NOT NULL CHECK (state IN ('running', 'done', 'failed')),
        total integer NOT NULL,
        finished integer NOT NULL DEFAULT 0,
        detail text NOT NULL DEFAULT '',
        results jsonb NOT NULL DEFAULT '[]',
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now()
      );
      CREATE INDEX stream_jobs_state_idx ON stream_jobs (state) WHERE state = 'running';
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TABLE stream_jobs;
      DROP INDEX detections_severity_idx;
      DROP INDEX detections_detected_idx;
      ALTER TABLE detections DROP verdict;
      DROP TABLE verdicts;
      ALTER TABLE users DROP capacity;
      ALTER TABLE assignments DROP automatic, DROP notes, DROP priority;
      DROP TABLE audit_entries;
      DROP FUNCTION refuse_change();
    `);
  }
}
