import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What stands for all streams together in `detection_hours`. */
const ALL = `'00000000-0000-0000-0000-000000000000'::uuid`;

/** Counts of rows named `d`, by hour, for each stream and for all, in the order in which their locks are taken. */
const countsOf = (rows: string, sign: '' | '-'): string => `
  SELECT v.dimension, g.stream_id, date_trunc('hour', d.detected_at, 'UTC') AS hour, v.key,
    (${sign}count(*))::integer AS count, min(d.seq) AS first_seq, max(d.seq) AS last_seq
  FROM ${rows} d
  CROSS JOIN LATERAL (VALUES ('kind', d.kind), ('severity', d.severity), ('label', lower(d.label)),
    ('stream', d.stream_id::text), ('verdict', coalesce(d.verdict, 'none'))) AS v (dimension, key)
  CROSS JOIN LATERAL (VALUES (d.stream_id), (${ALL})) AS g (stream_id)
  GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4`;

const ADD = `ON CONFLICT (dimension, stream_id, hour, key) DO UPDATE SET count = h.count + excluded.count,
  first_seq = least(h.first_seq, excluded.first_seq), last_seq = greatest(h.last_seq, excluded.last_seq)`;

const COLUMNS = 'dimension, stream_id, hour, key, count, first_seq, last_seq';

/**
 * Indexes for filters that had none, and how many detections there were in each hour: figures over weeks, and where in
 * the order of a list an instant lies, are read from few rows. Triggers keep the counts in the transaction that changes
 * the detections, whoever does; sorted, so that two of them never wait for each other in a circle.
 */
export class ListIndexes1763900800000 implements MigrationInterface {
  readonly name = 'ListIndexes1763900800000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE INDEX detections_detector_idx ON detections (detector, seq DESC);
      CREATE INDEX notifications_created_idx ON notifications (user_id, created_at);
      CREATE INDEX audit_entries_at_idx ON audit_entries (at);

      CREATE TABLE detection_hours (
        dimension text NOT NULL,
        -- Zeros for all streams together, hence no reference.
        stream_id uuid NOT NULL,
        hour timestamptz NOT NULL,
        key text NOT NULL,
        count integer NOT NULL,
        -- Every detection of the hour has a seq from the one to the other; deletions may leave the bounds too wide.
        first_seq bigint NOT NULL,
        last_seq bigint NOT NULL,
        PRIMARY KEY (dimension, stream_id, hour, key)
      ) WITH (fillfactor = 80);
      INSERT INTO detection_hours AS h (${COLUMNS}) ${countsOf('detections', '')};

      CREATE FUNCTION count_new_detections() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          INSERT INTO detection_hours AS h (${COLUMNS}) ${countsOf('changed', '')} ${ADD};
          RETURN NULL;
        END $$;
      CREATE TRIGGER detections_count_new AFTER INSERT ON detections
        REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION count_new_detections();

      CREATE FUNCTION count_gone_detections() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          INSERT INTO detection_hours AS h (${COLUMNS}) ${countsOf('changed', '-')} ${ADD};
          DELETE FROM detection_hours WHERE count <= 0 AND stream_id IN (SELECT stream_id FROM changed);
          RETURN NULL;
        END $$;
      CREATE TRIGGER detections_count_gone AFTER DELETE ON detections
        REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION count_gone_detections();

      CREATE FUNCTION count_judged_detection() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          INSERT INTO detection_hours AS h (${COLUMNS})
          SELECT 'verdict', g.stream_id, date_trunc('hour', NEW.detected_at, 'UTC'), v.key, v.count, NEW.seq, NEW.seq
          FROM (VALUES (coalesce(OLD.verdict, 'none'), -1), (coalesce(NEW.verdict, 'none'), 1)) AS v (key, count)
          CROSS JOIN (VALUES (NEW.stream_id), (${ALL})) AS g (stream_id)
          ORDER BY 1, 2, 3, 4 ${ADD};
          RETURN NULL;
        END $$;
      CREATE TRIGGER detections_count_judged AFTER UPDATE OF verdict ON detections
        FOR EACH ROW WHEN (OLD.verdict IS DISTINCT FROM NEW.verdict) EXECUTE FUNCTION count_judged_detection();

      -- Where in the order of transcripts an hour lies.
      CREATE TABLE transcript_hours (
        hour timestamptz PRIMARY KEY,
        first_seq bigint NOT NULL,
        last_seq bigint NOT NULL
      ) WITH (fillfactor = 80);
      INSERT INTO transcript_hours
        SELECT date_trunc('hour', started_at, 'UTC'), min(seq), max(seq) FROM transcripts GROUP BY 1;
      CREATE FUNCTION place_new_transcripts() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          INSERT INTO transcript_hours AS h (hour, first_seq, last_seq)
          SELECT date_trunc('hour', started_at, 'UTC'), min(seq), max(seq) FROM added GROUP BY 1 ORDER BY 1
          ON CONFLICT (hour) DO UPDATE SET first_seq = least(h.first_seq, excluded.first_seq),
            last_seq = greatest(h.last_seq, excluded.last_seq);
          RETURN NULL;
        END $$;
      CREATE TRIGGER transcripts_place_new AFTER INSERT ON transcripts
        REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION place_new_transcripts();
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TRIGGER transcripts_place_new ON transcripts;
      DROP FUNCTION place_new_transcripts;
      DROP TABLE transcript_hours;
      DROP TRIGGER detections_count_judged ON detections;
      DROP TRIGGER detections_count_gone ON detections;
      DROP TRIGGER detections_count_new ON detections;
      DROP FUNCTION count_judged_detection;
      DROP FUNCTION count_gone_detections;
      DROP FUNCTION count_new_detections;
      DROP TABLE detection_hours;
      DROP INDEX audit_entries_at_idx;
      DROP INDEX notifications_created_idx;
      DROP INDEX detections_detector_idx;
    `);
  }
}
