import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Detections, and how far each monitor's spool is committed. */
export class Detections1763900100000 implements MigrationInterface {
  readonly name = 'Detections1763900100000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE detections (
        id uuid PRIMARY KEY,
        seq bigint GENERATED ALWAYS AS IDENTITY,
        stream_id uuid NOT NULL REFERENCES streams ON DELETE CASCADE,
        session bigint NOT NULL,
        kind text NOT NULL,
        rule_id uuid NOT NULL,
        rule_version integer NOT NULL,
        label text NOT NULL,
        severity text NOT NULL,
        confidence double precision NOT NULL,
        objects jsonb NOT NULL,
        frame_width integer NOT NULL,
        frame_height integer NOT NULL,
        evidence_key text,
        model text NOT NULL,
        started_at timestamptz NOT NULL,
        detected_at timestamptz NOT NULL,
        ended_at timestamptz,
        frames integer,
        peak double precision,
        pts_ms double precision NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now()
      );
      CREATE UNIQUE INDEX detections_seq_key ON detections (seq);
      CREATE INDEX detections_stream_idx ON detections (stream_id, seq DESC);
      CREATE INDEX detections_label_idx ON detections (lower(label), seq DESC);

      CREATE TABLE spool_progress (
        spool_id text PRIMARY KEY,
        committed_seq bigint NOT NULL,
        updated_at timestamptz NOT NULL DEFAULT now()
      );
      CREATE INDEX spool_progress_updated_idx ON spool_progress (updated_at);
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE spool_progress; DROP TABLE detections;');
  }
}
