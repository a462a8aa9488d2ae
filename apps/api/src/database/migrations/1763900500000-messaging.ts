import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Messages between users, what is attached to them, and what each side has put away. */
export class Messaging1763900500000 implements MigrationInterface {
  readonly name = 'Messaging1763900500000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- One row for two users, the lower id first. Whoever writes locks it, so that what is committed later
      -- has the greater number, and a reader who continues after a number misses nothing.
      CREATE TABLE conversations (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        low_user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
        high_user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
        last_seq bigint NOT NULL DEFAULT 0,
        -- What is up to here is put away on that side.
        low_deleted_through bigint NOT NULL DEFAULT 0,
        high_deleted_through bigint NOT NULL DEFAULT 0,
        CONSTRAINT conversations_order_check CHECK (low_user_id < high_user_id),
        CONSTRAINT conversations_pair_key UNIQUE (low_user_id, high_user_id)
      );
      CREATE INDEX conversations_low_idx ON conversations (low_user_id, last_seq DESC);
      CREATE INDEX conversations_high_idx ON conversations (high_user_id, last_seq DESC);

      CREATE TABLE messages (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        seq bigint GENERATED ALWAYS AS IDENTITY,
        conversation_id uuid NOT NULL REFERENCES conversations ON DELETE CASCADE,
        sender_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
        recipient_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
        kind text NOT NULL CHECK (kind IN ('text', 'system')),
        client_id uuid,
        body text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        read_at timestamptz,
        CONSTRAINT messages_client_key UNIQUE (sender_id, client_id)
      );
      CREATE UNIQUE INDEX messages_seq_key ON messages (seq);
      CREATE INDEX messages_conversation_idx ON messages (conversation_id, seq DESC);
      CREATE INDEX messages_unread_idx ON messages (recipient_id, conversation_id, seq) WHERE read_at IS NULL;

      CREATE TABLE attachments (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        -- Rows outlive user and message until their bytes are gone, too.
        uploader_id uuid REFERENCES users ON DELETE SET NULL,
        message_id uuid REFERENCES messages ON DELETE SET NULL,
        position integer NOT NULL DEFAULT 0,
        name text NOT NULL,
        content_type text NOT NULL,
        size integer NOT NULL,
        width integer,
        height integer,
        created_at timestamptz NOT NULL DEFAULT now()
      );
      CREATE INDEX attachments_message_idx ON attachments (message_id, position);
      CREATE INDEX attachments_unsent_idx ON attachments (created_at) WHERE message_id IS NULL;
      CREATE INDEX attachments_uploader_idx ON attachments (uploader_id) WHERE message_id IS NULL;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TABLE attachments;
      DROP TABLE messages;
      DROP TABLE conversations;
    `);
  }
}
