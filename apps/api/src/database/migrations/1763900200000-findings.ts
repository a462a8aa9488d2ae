import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What is heard and read beside what is seen: rules for it, findings of every kind, transcripts, service tokens. */
export class Findings1763900200000 implements MigrationInterface {
  readonly name = 'Findings1763900200000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE streams
        ADD parts text[] NOT NULL DEFAULT '{video,audio,chat}',
        ADD language text,
        ADD chat jsonb;

      ALTER TABLE detections
        ALTER rule_id DROP NOT NULL,
        ALTER rule_version DROP NOT NULL,
        ALTER frame_width DROP NOT NULL,
        ALTER frame_height DROP NOT NULL,
        ALTER pts_ms DROP NOT NULL,
        ADD detector text NOT NULL DEFAULT 'yolo',
        ADD detail text NOT NULL DEFAULT '',
        ADD clip_key text,
        ADD quote jsonb,
        ADD segment_id uuid,
        ADD chat jsonb;
      CREATE INDEX detections_kind_idx ON detections (kind, seq DESC);

      CREATE TABLE transcripts (
        id uuid PRIMARY KEY,
        seq bigint GENERATED ALWAYS AS IDENTITY,
        stream_id uuid NOT NULL REFERENCES streams ON DELETE CASCADE,
        session bigint NOT NULL,
        text text NOT NULL,
        language text,
        engine text NOT NULL,
        model text NOT NULL,
        vad_mean double precision NOT NULL,
        filters text[] NOT NULL,
        started_at timestamptz NOT NULL,
        ended_at timestamptz NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        -- Words as they are: what is said is in any language.
        search tsvector GENERATED ALWAYS AS (to_tsvector('simple', text)) STORED
      );
      CREATE UNIQUE INDEX transcripts_seq_key ON transcripts (seq);
      CREATE INDEX transcripts_stream_idx ON transcripts (stream_id, seq DESC);
      CREATE INDEX transcripts_search_idx ON transcripts USING gin (search);

      CREATE TABLE keyword_rules (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        label text NOT NULL,
        pattern text NOT NULL,
        kind text NOT NULL CHECK (kind IN ('literal', 'regex')),
        allow text[] NOT NULL DEFAULT '{}',
        fuzzy boolean NOT NULL DEFAULT false,
        phonetic boolean NOT NULL DEFAULT false,
        applies_to text NOT NULL CHECK (applies_to IN ('chat', 'speech', 'both')),
        language text,
        severity text NOT NULL,
        cooldown_ms integer NOT NULL CHECK (cooldown_ms >= 0),
        version integer NOT NULL DEFAULT 1,
        enabled boolean NOT NULL DEFAULT true,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now()
      );
      CREATE UNIQUE INDEX keyword_rules_pattern_key
        ON keyword_rules (md5(pattern), kind, applies_to, coalesce(language, ''));
      CREATE INDEX keyword_rules_label_idx ON keyword_rules (label, id);

      CREATE TABLE zones (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        stream_id uuid NOT NULL REFERENCES streams ON DELETE CASCADE,
        name text NOT NULL,
        kind text NOT NULL CHECK (kind IN ('include', 'exclude')),
        points jsonb NOT NULL,
        labels text[] NOT NULL DEFAULT '{}',
        version integer NOT NULL DEFAULT 1,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now()
      );
      CREATE UNIQUE INDEX zones_name_key ON zones (stream_id, lower(name));

      CREATE TABLE signal_rules (
        signal text PRIMARY KEY,
        severity text NOT NULL,
        cooldown_ms integer NOT NULL CHECK (cooldown_ms >= 0),
        version integer NOT NULL DEFAULT 1,
        enabled boolean NOT NULL,
        updated_at timestamptz NOT NULL DEFAULT now()
      );
      INSERT INTO signal_rules (signal, severity, cooldown_ms, enabled) VALUES
        ('dead_air', 'low', 300000, true),
        ('audio_lost', 'medium', 300000, true),
        ('clipping', 'info', 300000, true),
        ('loudness_jump', 'info', 60000, true),
        ('speech_activity', 'info', 300000, false),
        ('hostile_chat', 'medium', 300000, true);

      CREATE TABLE service_tokens (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        name text NOT NULL,
        hash text NOT NULL,
        scopes text[] NOT NULL,
        created_by uuid REFERENCES users ON DELETE SET NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        last_used_at timestamptz,
        revoked_at timestamptz
      );
      CREATE UNIQUE INDEX service_tokens_hash_key ON service_tokens (hash);
    `);
  }

  /** Findings that only the newer tables can hold are removed: without a frame or a rule there was no place for them. */
  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TABLE service_tokens;
      DROP TABLE signal_rules;
      DROP TABLE zones;
      DROP TABLE keyword_rules;
      DROP TABLE transcripts;
      DELETE FROM detections WHERE kind <> 'video';
      DROP INDEX detections_kind_idx;
      ALTER TABLE detections
        DROP chat, DROP segment_id, DROP quote, DROP clip_key, DROP detail, DROP detector,
        ALTER pts_ms SET NOT NULL,
        ALTER frame_height SET NOT NULL,
        ALTER frame_width SET NOT NULL,
        ALTER rule_version SET NOT NULL,
        ALTER rule_id SET NOT NULL;
      ALTER TABLE streams DROP chat, DROP language, DROP parts;
    `);
  }
}
