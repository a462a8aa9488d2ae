import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Telling people: alerts that group hits, deliveries over channels, silences, preferences, webhooks. */
export class Deliveries1763900600000 implements MigrationInterface {
  readonly name = 'Deliveries1763900600000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE alerts (
        id uuid PRIMARY KEY,
        stream_id uuid NOT NULL REFERENCES streams ON DELETE CASCADE,
        -- Rule and label: what is grouped on a stream.
        rule_key text NOT NULL,
        rule_id uuid,
        label text NOT NULL,
        -- The first hit. No reference: detections are cleared on their own.
        detection_id uuid NOT NULL,
        title text NOT NULL,
        body text NOT NULL,
        severity text NOT NULL,
        count integer NOT NULL,
        suppressed integer NOT NULL DEFAULT 0,
        opened_at timestamptz NOT NULL,
        closes_at timestamptz NOT NULL,
        last_at timestamptz NOT NULL,
        escalation integer NOT NULL DEFAULT 0,
        escalate_at timestamptz,
        acknowledged_at timestamptz,
        acknowledged_by uuid REFERENCES users ON DELETE SET NULL
      );
      CREATE INDEX alerts_group_idx ON alerts (stream_id, rule_key, closes_at DESC);
      CREATE INDEX alerts_escalate_idx ON alerts (escalate_at) WHERE escalate_at IS NOT NULL;

      ALTER TABLE notifications
        DROP CONSTRAINT notifications_recipient_key,
        ADD alert_id uuid REFERENCES alerts ON DELETE SET NULL,
        ADD count integer NOT NULL DEFAULT 1,
        ADD suppressed integer NOT NULL DEFAULT 0,
        ADD silenced boolean NOT NULL DEFAULT false,
        ADD last_at timestamptz NOT NULL DEFAULT now(),
        ADD acknowledged_at timestamptz,
        ADD sender_id uuid REFERENCES users ON DELETE SET NULL,
        ADD original_id uuid REFERENCES notifications ON DELETE SET NULL,
        ADD note text NOT NULL DEFAULT '';
      -- A forwarded or escalated one is about a detection that its recipient may know already.
      CREATE UNIQUE INDEX notifications_recipient_key ON notifications (user_id, detection_id) WHERE kind = 'detection';
      CREATE INDEX notifications_alert_idx ON notifications (alert_id, user_id, seq DESC);
      CREATE INDEX notifications_sender_idx ON notifications (sender_id, seq DESC) WHERE sender_id IS NOT NULL;
      CREATE INDEX notifications_original_idx ON notifications (original_id) WHERE original_id IS NOT NULL;

      CREATE TABLE webhook_endpoints (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        -- Null for a global one.
        user_id uuid REFERENCES users ON DELETE CASCADE,
        url text NOT NULL,
        -- Sealed; shown once, when it is made.
        secret text NOT NULL,
        enabled boolean NOT NULL DEFAULT true,
        events text[] NOT NULL DEFAULT '{}',
        failing_since timestamptz,
        disabled_at timestamptz,
        disabled_reason text,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now()
      );
      CREATE INDEX webhook_endpoints_user_idx ON webhook_endpoints (user_id);

      CREATE TABLE deliveries (
        id uuid PRIMARY KEY,
        kind text NOT NULL CHECK (kind IN ('single', 'digest')),
        channel text NOT NULL,
        user_id uuid REFERENCES users ON DELETE CASCADE,
        endpoint_id uuid REFERENCES webhook_endpoints ON DELETE CASCADE,
        alert_id uuid REFERENCES alerts ON DELETE CASCADE,
        notification_id uuid REFERENCES notifications ON DELETE CASCADE,
        state text NOT NULL DEFAULT 'pending'
          CHECK (state IN ('pending', 'sending', 'sent', 'dead', 'suppressed')),
        attempts integer NOT NULL DEFAULT 0,
        -- Attempts that were made before it was last driven anew: the schedule begins again then.
        driven_from integer NOT NULL DEFAULT 0,
        due_at timestamptz NOT NULL,
        sending_at timestamptz,
        finished_at timestamptz,
        reference text,
        log jsonb NOT NULL DEFAULT '[]',
        created_at timestamptz NOT NULL DEFAULT now()
      );
      CREATE INDEX deliveries_open_idx ON deliveries (due_at, id) WHERE state IN ('pending', 'sending');
      CREATE INDEX deliveries_dead_idx ON deliveries (id) WHERE state = 'dead';
      CREATE INDEX deliveries_alert_idx ON deliveries (alert_id);
      CREATE INDEX deliveries_notification_idx ON deliveries (notification_id);
      CREATE INDEX deliveries_user_idx ON deliveries (user_id);
      CREATE INDEX deliveries_endpoint_idx ON deliveries (endpoint_id);
      CREATE UNIQUE INDEX deliveries_digest_key
        ON deliveries (user_id, channel, coalesce(endpoint_id, user_id), due_at)
        WHERE kind = 'digest' AND state = 'pending' AND attempts = 0;

      CREATE TABLE digest_items (
        delivery_id uuid NOT NULL REFERENCES deliveries ON DELETE CASCADE,
        notification_id uuid NOT NULL REFERENCES notifications ON DELETE CASCADE,
        PRIMARY KEY (delivery_id, notification_id)
      );
      CREATE INDEX digest_items_notification_idx ON digest_items (notification_id);

      -- A receiver asked for silence until then.
      CREATE TABLE delivery_holds (
        target text PRIMARY KEY,
        until timestamptz NOT NULL
      );

      CREATE TABLE silences (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        stream_id uuid REFERENCES streams ON DELETE CASCADE,
        rule_id uuid,
        label text,
        starts_at timestamptz NOT NULL,
        ends_at timestamptz NOT NULL,
        reason text NOT NULL,
        created_by uuid REFERENCES users ON DELETE SET NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        CHECK (ends_at > starts_at),
        CHECK (stream_id IS NOT NULL OR rule_id IS NOT NULL OR label IS NOT NULL)
      );
      CREATE INDEX silences_ends_idx ON silences (ends_at);

      CREATE TABLE notification_preferences (
        user_id uuid PRIMARY KEY REFERENCES users ON DELETE CASCADE,
        value jsonb NOT NULL,
        updated_at timestamptz NOT NULL DEFAULT now()
      );

      CREATE TABLE telegram_links (
        user_id uuid PRIMARY KEY REFERENCES users ON DELETE CASCADE,
        chat_id text NOT NULL UNIQUE,
        linked_at timestamptz NOT NULL DEFAULT now()
      );
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TABLE telegram_links;
      DROP TABLE notification_preferences;
      DROP TABLE silences;
      DROP TABLE delivery_holds;
      DROP TABLE digest_items;
      DROP TABLE deliveries;
      DROP TABLE webhook_endpoints;
      DROP INDEX notifications_recipient_key;
      DELETE FROM notifications WHERE kind <> 'detection';
      ALTER TABLE notifications
        DROP note, DROP original_id, DROP sender_id, DROP acknowledged_at, DROP last_at, DROP silenced,
        DROP suppressed, DROP count, DROP alert_id,
        ADD CONSTRAINT notifications_recipient_key UNIQUE (user_id, detection_id);
      DROP TABLE alerts;
    `);
  }
}
