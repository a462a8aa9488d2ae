import type { MigrationInterface, QueryRunner } from 'typeorm';

const PARTS = `('video', 'audio', 'speech', 'chat')`;

/**
 * What should be watched, what was, and what that comes to by the hour. When a stream should be watched is kept by a
 * trigger, whoever changes it; what nobody told of within such a period is a gap, without anybody having to notice.
 */
export class Coverage1763901100000 implements MigrationInterface {
  readonly name = 'Coverage1763901100000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE watch_periods (
        stream_id uuid NOT NULL REFERENCES streams ON DELETE CASCADE,
        part text NOT NULL CHECK (part IN ${PARTS}),
        started_at timestamptz NOT NULL,
        -- Null while it should be watched.
        ended_at timestamptz,
        PRIMARY KEY (stream_id, part, started_at)
      );
      CREATE UNIQUE INDEX watch_periods_open_key ON watch_periods (stream_id, part) WHERE ended_at IS NULL;
      CREATE INDEX watch_periods_ended_idx ON watch_periods (ended_at);

      CREATE FUNCTION watched_parts(desired boolean, parts text[]) RETURNS SETOF text LANGUAGE sql IMMUTABLE AS $$
        SELECT unnest(parts) WHERE desired UNION SELECT 'speech' WHERE desired AND 'audio' = ANY(parts)
      $$;
      CREATE FUNCTION keep_watch_periods() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
          moment timestamptz := clock_timestamp();
        BEGIN
          UPDATE watch_periods SET ended_at = greatest(moment, started_at)
          WHERE stream_id = NEW.id AND ended_at IS NULL
            AND part NOT IN (SELECT watched_parts(NEW.desired, NEW.parts));
          INSERT INTO watch_periods (stream_id, part, started_at)
          SELECT NEW.id, part, moment FROM watched_parts(NEW.desired, NEW.parts) AS part
          WHERE NOT EXISTS (SELECT 1 FROM watch_periods p
                            WHERE p.stream_id = NEW.id AND p.part = part.part AND p.ended_at IS NULL);
          RETURN NULL;
        END $$;
      CREATE TRIGGER streams_keep_watch_periods AFTER INSERT OR UPDATE OF desired, parts ON streams
        FOR EACH ROW EXECUTE FUNCTION keep_watch_periods();
      INSERT INTO watch_periods (stream_id, part, started_at)
        SELECT s.id, part, now() FROM streams s, LATERAL watched_parts(s.desired, s.parts) AS part;

      CREATE TABLE coverage_spans (
        stream_id uuid NOT NULL REFERENCES streams ON DELETE CASCADE,
        part text NOT NULL CHECK (part IN ${PARTS}),
        started_at timestamptz NOT NULL,
        session bigint NOT NULL,
        -- Within the hour that it began in.
        ended_at timestamptz NOT NULL,
        -- Null where it was watched.
        gap text,
        monitor_id text NOT NULL,
        -- The session ended in order with it.
        is_last boolean NOT NULL,
        PRIMARY KEY (stream_id, part, started_at, session)
      ) WITH (fillfactor = 80);

      CREATE TABLE coverage_hours (
        hour timestamptz NOT NULL,
        stream_id uuid NOT NULL REFERENCES streams ON DELETE CASCADE,
        part text NOT NULL CHECK (part IN ${PARTS}),
        -- 'watched', or why it was not.
        state text NOT NULL,
        ms integer NOT NULL,
        PRIMARY KEY (stream_id, part, hour, state)
      );
      CREATE INDEX coverage_hours_hour_idx ON coverage_hours (hour);
      -- Hours whose sums are to be made anew; a mark that grows meanwhile is not taken away.
      CREATE TABLE coverage_stale_hours (
        stream_id uuid NOT NULL REFERENCES streams ON DELETE CASCADE,
        hour timestamptz NOT NULL,
        marks integer NOT NULL DEFAULT 1,
        PRIMARY KEY (stream_id, hour)
      );

      CREATE TABLE blind_episodes (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        stream_id uuid NOT NULL REFERENCES streams ON DELETE CASCADE,
        part text NOT NULL CHECK (part IN ${PARTS}),
        gap text NOT NULL,
        started_at timestamptz NOT NULL,
        ended_at timestamptz,
        created_at timestamptz NOT NULL DEFAULT now()
      );
      CREATE UNIQUE INDEX blind_episodes_open_key ON blind_episodes (stream_id, part) WHERE ended_at IS NULL;

      -- What the system says of a stream is an alert without a detection.
      ALTER TABLE alerts ALTER detection_id DROP NOT NULL;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DELETE FROM alerts WHERE detection_id IS NULL;
      ALTER TABLE alerts ALTER detection_id SET NOT NULL;
      DROP TABLE blind_episodes;
      DROP TABLE coverage_stale_hours;
      DROP TABLE coverage_hours;
      DROP TABLE coverage_spans;
      DROP TRIGGER streams_keep_watch_periods ON streams;
      DROP FUNCTION keep_watch_periods;
      DROP FUNCTION watched_parts;
      DROP TABLE watch_periods;
    `);
  }
}
