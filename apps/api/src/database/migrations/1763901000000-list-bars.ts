import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Lists and figures that stay quick for rare pairs of filters and for people with much to read. What is filtered by
 * beside the first column of an index stands in it, too: rows that do not fit are passed by without being fetched.
 */
export class ListBars1763901000000 implements MigrationInterface {
  readonly name = 'ListBars1763901000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP INDEX detections_label_idx;
      DROP INDEX detections_kind_idx;
      CREATE INDEX detections_label_idx ON detections (lower(label), seq DESC, severity, stream_id);
      CREATE INDEX detections_kind_idx ON detections (kind, seq DESC, severity, stream_id);

      -- Kind of the detection that it is about: figures need not look at the detections themselves.
      ALTER TABLE notifications ADD modality text;
      UPDATE notifications n SET modality = d.kind FROM detections d WHERE d.id = n.detection_id;
      DROP INDEX notifications_created_idx;
      CREATE INDEX notifications_told_idx ON notifications (user_id, created_at)
        INCLUDE (modality, read_at, detection_id);
      DROP INDEX notifications_unread_idx;
      CREATE INDEX notifications_unread_idx ON notifications (user_id, silenced, seq) WHERE read_at IS NULL;
      DROP INDEX verdicts_user_idx;
      CREATE INDEX verdicts_user_idx ON verdicts (user_id, created_at DESC) INCLUDE (detection_id, verdict);
      -- Counting from an index alone needs pages that are known to be visible to all: what is newest is counted most.
      ALTER TABLE notifications SET (autovacuum_vacuum_insert_scale_factor = 0.02);

      -- Whoever adds very many detections in one transaction may count them once, at its end.
      DROP TRIGGER detections_count_new ON detections;
      CREATE TRIGGER detections_count_new AFTER INSERT ON detections
        REFERENCING NEW TABLE AS changed FOR EACH STATEMENT
        WHEN (current_setting('vigil.count_later', true) IS DISTINCT FROM 'on')
        EXECUTE FUNCTION count_new_detections();
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TRIGGER detections_count_new ON detections;
      CREATE TRIGGER detections_count_new AFTER INSERT ON detections
        REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION count_new_detections();
      ALTER TABLE notifications RESET (autovacuum_vacuum_insert_scale_factor);
      DROP INDEX verdicts_user_idx;
      CREATE INDEX verdicts_user_idx ON verdicts (user_id, created_at DESC);
      DROP INDEX notifications_unread_idx;
      CREATE INDEX notifications_unread_idx ON notifications (user_id, seq) WHERE read_at IS NULL;
      DROP INDEX notifications_told_idx;
      CREATE INDEX notifications_created_idx ON notifications (user_id, created_at);
      ALTER TABLE notifications DROP modality;
      DROP INDEX detections_kind_idx;
      DROP INDEX detections_label_idx;
      CREATE INDEX detections_kind_idx ON detections (kind, seq DESC);
      CREATE INDEX detections_label_idx ON detections (lower(label), seq DESC);
    `);
  }
}
