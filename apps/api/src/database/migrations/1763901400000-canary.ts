import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What became of canaries and probes of channels, who is expected to have one, and what admins were told of them. */
export class Canary1763901400000 implements MigrationInterface {
  readonly name = 'Canary1763901400000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- A row is one part of one run.
      CREATE TABLE canary_runs (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        run_id uuid NOT NULL,
        monitor_id text NOT NULL,
        part text NOT NULL CHECK (part IN ('video', 'audio', 'speech', 'chat')),
        outcome text NOT NULL CHECK (outcome IN ('found', 'missed', 'unproven')),
        reason text NOT NULL,
        started_at timestamptz NOT NULL,
        aired_at timestamptz,
        found_at timestamptz,
        stored_at timestamptz NOT NULL DEFAULT now(),
        -- When it was known to be committed, and when the sockets of admins had been told.
        committed_at timestamptz,
        told_at timestamptz,
        CONSTRAINT canary_runs_part_key UNIQUE (run_id, part)
      );
      CREATE INDEX canary_runs_monitor_idx ON canary_runs (monitor_id, started_at DESC);
      CREATE INDEX canary_runs_started_idx ON canary_runs (started_at DESC, run_id);
      CREATE INDEX canary_runs_stored_idx ON canary_runs (stored_at);

      CREATE TABLE canary_monitors (
        monitor_id text PRIMARY KEY,
        every_ms integer NOT NULL,
        -- Since when runs are to be expected.
        expected_since timestamptz NOT NULL,
        seen_at timestamptz NOT NULL,
        -- Set when it stopped in order.
        left_at timestamptz
      );

      CREATE TABLE canary_probes (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        channel text NOT NULL,
        outcome text NOT NULL CHECK (outcome IN ('answered', 'failed')),
        reason text NOT NULL,
        took_ms integer NOT NULL,
        at timestamptz NOT NULL DEFAULT now()
      );
      CREATE INDEX canary_probes_channel_idx ON canary_probes (channel, at DESC);
      CREATE INDEX canary_probes_at_idx ON canary_probes (at);

      CREATE TABLE canary_episodes (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        kind text NOT NULL CHECK (kind IN ('monitor', 'channel')),
        -- Id of the monitor or the channel.
        subject text NOT NULL,
        -- A part, 'run' where none comes out, 'probe'.
        part text NOT NULL,
        reason text NOT NULL,
        started_at timestamptz NOT NULL,
        -- Null while it lasts.
        ended_at timestamptz
      );
      CREATE UNIQUE INDEX canary_episodes_open_key ON canary_episodes (kind, subject, part) WHERE ended_at IS NULL;
      CREATE INDEX canary_episodes_ended_idx ON canary_episodes (ended_at);

      -- What the system says of itself is about no stream.
      ALTER TABLE alerts ALTER stream_id DROP NOT NULL;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DELETE FROM alerts WHERE stream_id IS NULL;
      ALTER TABLE alerts ALTER stream_id SET NOT NULL;
      DROP TABLE canary_episodes;
      DROP TABLE canary_probes;
      DROP TABLE canary_monitors;
      DROP TABLE canary_runs;
    `);
  }
}
