import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What stands for all streams together in `detection_hours`. */
const ALL = `'00000000-0000-0000-0000-000000000000'::uuid`;
const COLUMNS = 'dimension, stream_id, hour, key, count, first_seq, last_seq';

/** The function that counts deletions; `forget` removes what has come to nothing. */
const countGone = (forget: string): string => `
  CREATE OR REPLACE FUNCTION count_gone_detections() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      INSERT INTO detection_hours AS h (${COLUMNS})
      SELECT v.dimension, g.stream_id, date_trunc('hour', d.detected_at, 'UTC') AS hour, v.key,
        (-count(*))::integer AS count, min(d.seq) AS first_seq, max(d.seq) AS last_seq
      FROM changed d
      CROSS JOIN LATERAL (VALUES ('kind', d.kind), ('severity', d.severity), ('label', lower(d.label)),
        ('stream', d.stream_id::text), ('verdict', coalesce(d.verdict, 'none'))) AS v (dimension, key)
      CROSS JOIN LATERAL (VALUES (d.stream_id), (${ALL})) AS g (stream_id)
      GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
      ON CONFLICT (dimension, stream_id, hour, key) DO UPDATE SET count = h.count + excluded.count,
        first_seq = least(h.first_seq, excluded.first_seq), last_seq = greatest(h.last_seq, excluded.last_seq);
      ${forget}
      RETURN NULL;
    END $$;`;

/** Looks at every row of the stream, however many hours there are. */
const FORGET_BY_STREAM =
  'DELETE FROM detection_hours WHERE count <= 0 AND stream_id IN (SELECT stream_id FROM changed);';
/** Looks at the hours that changed alone, by the primary key; these rows are locked by the upsert already. */
const FORGET_BY_HOUR = `
      DELETE FROM detection_hours h USING (
        SELECT DISTINCT v.dimension, g.stream_id, date_trunc('hour', d.detected_at, 'UTC') AS hour
        FROM changed d
        CROSS JOIN (VALUES ('kind'), ('severity'), ('label'), ('stream'), ('verdict')) AS v (dimension)
        CROSS JOIN LATERAL (VALUES (d.stream_id), (${ALL})) AS g (stream_id)) c
      WHERE h.dimension = c.dimension AND h.stream_id = c.stream_id AND h.hour = c.hour AND h.count <= 0;`;

const APPEND_ONLY = `RAISE EXCEPTION 'the audit trail is append-only'`;

/** What is kept for ever, what is to be removed from the store of evidence, and how the audit trail may be shortened. */
export class Retention1763901200000 implements MigrationInterface {
  readonly name = 'Retention1763901200000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE detections ADD keep boolean NOT NULL DEFAULT false;
      CREATE INDEX detections_keep_idx ON detections (seq DESC) WHERE keep;
      CREATE INDEX detections_keep_segment_idx ON detections (segment_id) WHERE keep;

      -- Keys of evidence whose detection is gone, whoever deleted it, until the files are gone, too.
      CREATE TABLE evidence_removals (
        key text PRIMARY KEY,
        created_at timestamptz NOT NULL DEFAULT now()
      );
      CREATE FUNCTION note_gone_evidence() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          INSERT INTO evidence_removals (key)
          SELECT DISTINCT e.key FROM changed d CROSS JOIN LATERAL (VALUES (d.evidence_key), (d.clip_key)) AS e (key)
          -- What users attach has a room of its own that looks after it.
          WHERE e.key IS NOT NULL AND e.key NOT LIKE 'attachments/%' ORDER BY 1
          ON CONFLICT (key) DO NOTHING;
          RETURN NULL;
        END $$;
      CREATE TRIGGER detections_note_evidence AFTER DELETE ON detections
        REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION note_gone_evidence();
      ${countGone(FORGET_BY_HOUR)}

      CREATE INDEX deliveries_created_idx ON deliveries (created_at);
      CREATE INDEX alerts_closes_idx ON alerts (closes_at);

      -- Entries go only by their age: when the transaction says up to when, and never when younger than 30 days.
      CREATE FUNCTION refuse_early_removal() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          IF OLD.at < nullif(current_setting('vigil.audit_removed_before', true), '')::timestamptz
            AND OLD.at < now() - interval '30 days' THEN RETURN OLD; END IF;
          ${APPEND_ONLY};
        END $$;
      DROP TRIGGER audit_entries_append_only ON audit_entries;
      CREATE TRIGGER audit_entries_append_only BEFORE UPDATE OR TRUNCATE ON audit_entries
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
      CREATE TRIGGER audit_entries_removed_by_age BEFORE DELETE ON audit_entries
        FOR EACH ROW EXECUTE FUNCTION refuse_early_removal();
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TRIGGER audit_entries_removed_by_age ON audit_entries;
      DROP TRIGGER audit_entries_append_only ON audit_entries;
      DROP FUNCTION refuse_early_removal;
      CREATE TRIGGER audit_entries_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entries
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
      DROP INDEX alerts_closes_idx;
      DROP INDEX deliveries_created_idx;
      ${countGone(FORGET_BY_STREAM)}
      DROP TRIGGER detections_note_evidence ON detections;
      DROP FUNCTION note_gone_evidence;
      DROP TABLE evidence_removals;
      ALTER TABLE detections DROP keep;
    `);
  }
}
