import { ALL_STREAMS } from '../../apps/api/src/detections/detection-hours.js';

/**
 * Statements that make rows up. Every value follows from the row's number and the seed, so that the same seed on the
 * same database makes the same rows. Parameters: `$1` first and `$2` last number, `$3` ids of streams, `$4` ids of
 * agents, `$5` number of the first row of the run, `$6` number of its rows, `$7` the run's end, `$8` its length in days.
 */

/** `part(number, purpose)`: evenly spread from 0 up to 1; `key(number, purpose)`: a random-looking UUID of version 4. */
export const functionsOf = (seed: number): string => `
  CREATE OR REPLACE FUNCTION pg_temp.part(i bigint, purpose integer) RETURNS double precision
    LANGUAGE sql IMMUTABLE AS $$ SELECT (hashint8extended(i, ${seed}::bigint * 1000 + purpose) & 1048575) / 1048576.0 $$;
  CREATE OR REPLACE FUNCTION pg_temp.key(i bigint, purpose text) RETURNS uuid
    LANGUAGE sql IMMUTABLE AS $$
      SELECT overlay(overlay(md5(purpose || ':${seed}:' || i) placing '4' from 13) placing '8' from 17)::uuid $$;
`;

/** A value of a list, by number and purpose; the first ones far more often than the last when `skew` is above 1. */
const pick = (list: string, purpose: number, skew = 1): string =>
  `(${list})[1 + floor(array_length(${list}, 1) * power(pg_temp.part(i, ${purpose}), ${skew}))::integer]`;

const texts = (values: readonly string[]): string => `ARRAY[${values.map((value) => `'${value}'`).join(', ')}]::text[]`;

const SEEN = texts('person car dog backpack bicycle truck cat handbag bottle knife suitcase bird'.split(' '));
const HEARD = texts(['free money', 'gift card', 'dead_air', 'clipping', 'phone number', 'loudness_jump', 'address']);
const READ = texts(['spam link', 'free money', 'insult', 'phone number', 'hostile_chat', 'address', 'threat']);
const SIGNALS = texts(['dead_air', 'clipping', 'loudness_jump', 'hostile_chat']);
const SEVERITIES = texts(['medium', 'low', 'high', 'info', 'critical']);
const PHRASES = texts([
  'welcome back to the stream everybody',
  'the weather out here is really something',
  'let me know in the chat what you think',
  'we have been walking for two hours now',
  'there is a big crowd at the corner',
  'somebody left a bag on the bench',
  'thank you for the support tonight',
  'I will be right back after this',
  'do not give out your phone number',
  'they are giving away free money again',
  'that car nearly hit the bicycle',
  'the music next door is far too loud',
  'we are going live again tomorrow at eight',
  'please keep the language clean',
  'did you see the game last night',
  'the battery is almost empty',
  'turn around and show us the river',
  'nobody move until the light is green',
  'this place has the best noodles in town',
  'click the link if you want to win',
]);
const RARE = texts(['zeppelin', 'quicksilver', 'marmalade', 'archipelago', 'obelisk']);

const NUMBERS = 'generate_series($1::bigint, $2::bigint) AS i';
/** Later numbers are later, with a jitter of a minute. */
const AT = `$7::timestamptz - make_interval(days => $8::integer) * (1 - (i - $5::bigint + 1)::double precision / $6::bigint)
  - interval '1 minute' * pg_temp.part(i, 1)`;
const STREAM = pick('$3::uuid[]', 2, 2);

/** Findings of the three kinds; every tenth has a verdict. What was heard quotes words, what was read a line of chat. */
export const DETECTIONS = `
  WITH made AS (
    SELECT i, ${AT} AS at, ${STREAM} AS stream_id,
      CASE WHEN pg_temp.part(i, 3) < 0.6 THEN 'video' WHEN pg_temp.part(i, 3) < 0.85 THEN 'audio' ELSE 'chat' END AS kind,
      ${pick(SEEN, 4, 3)} AS seen, ${pick(HEARD, 5, 2)} AS heard, ${pick(READ, 6, 2)} AS read,
      ${pick(SEVERITIES, 7, 1.7)} AS severity, ${pick(PHRASES, 8)} AS phrase,
      round((0.4 + 0.59 * pg_temp.part(i, 9))::numeric, 3)::double precision AS confidence,
      round((1 + 28 * pg_temp.part(i, 10))::numeric, 1) AS seconds,
      CASE WHEN pg_temp.part(i, 11) < 0.1
        THEN (ARRAY['true', 'true', 'true', 'false', 'unsure'])[1 + floor(5 * pg_temp.part(i, 12))::integer] END AS verdict,
      round((900 * pg_temp.part(i, 13))::numeric) AS x, round((400 * pg_temp.part(i, 14))::numeric) AS y,
      $4::uuid[] AS agents, $5::bigint AS first, $6::bigint AS total
    FROM ${NUMBERS}
  ), named AS (
    SELECT *, CASE kind WHEN 'video' THEN seen WHEN 'audio' THEN heard ELSE read END AS label FROM made
  ), inserted AS (
    INSERT INTO detections (id, stream_id, session, kind, rule_id, rule_version, label, severity, confidence, objects,
      frame_width, frame_height, detector, model, detail, quote, chat, started_at, detected_at, ended_at, frames, peak,
      pts_ms, verdict, created_at)
    SELECT pg_temp.key(i, 'detection'), stream_id, 1, kind,
      CASE WHEN label = ANY(${SIGNALS}) THEN NULL ELSE pg_temp.key(hashtext(label), 'rule') END,
      CASE WHEN label = ANY(${SIGNALS}) THEN NULL ELSE 1 END,
      label, severity, confidence,
      CASE kind WHEN 'video' THEN jsonb_build_array(jsonb_build_object('label', label, 'score', confidence,
        'box', jsonb_build_array(x, y, x + 120, y + 240))) ELSE '[]' END,
      CASE kind WHEN 'video' THEN 1280 END, CASE kind WHEN 'video' THEN 720 END,
      CASE WHEN kind = 'video' THEN 'yolo' WHEN label = ANY(${SIGNALS}) THEN 'sound' ELSE 'phrases' END,
      CASE kind WHEN 'video' THEN 'yolox-nano' ELSE '' END, '',
      CASE WHEN kind <> 'video' AND label <> ALL(${SIGNALS}) THEN jsonb_build_object('text', phrase || ' ' || label,
        'start', length(phrase) + 1, 'end', length(phrase) + 1 + length(label), 'view', 'plain', 'language', 'en') END,
      CASE kind WHEN 'chat' THEN jsonb_build_object('message', jsonb_build_object('id', 'seed-' || i, 'at',
        floor(extract(epoch FROM at) * 1000), 'username', 'viewer' || (i % 997), 'text', phrase || ' ' || label),
        'before', '[]'::jsonb, 'after', '[]'::jsonb) END,
      at - interval '1 second', at, at + make_interval(secs => seconds), CASE kind WHEN 'video' THEN seconds::integer END,
      CASE kind WHEN 'video' THEN confidence END, CASE kind WHEN 'video' THEN (i - first) * 2000 END, verdict, at
    FROM named ORDER BY i
    RETURNING id
  ), judged AS (
    INSERT INTO verdicts (detection_id, user_id, verdict, created_at)
    SELECT pg_temp.key(i, 'detection'),
      agents[1 + floor(array_length(agents, 1) * pg_temp.part(i, 15))::integer], verdict,
      at + interval '5 minutes' * pg_temp.part(i, 16)
    FROM named WHERE verdict IS NOT NULL
  )
  SELECT count(*)::integer AS count FROM inserted`;

/** Has the trigger leave the hours of this transaction's detections uncounted: {@link DETECTION_HOURS} counts them once. */
export const COUNT_LATER = `SET LOCAL vigil.count_later = 'on'`;

/** Indexes of detections that hold nothing together, by name and as they are made. */
export const SORTED_INDEXES = `
  SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS definition
  FROM pg_index WHERE indrelid = 'detections'::regclass AND NOT indisunique`;

/** Counts the hours of the detections on the streams `$1` from number `$2` on, as the trigger would have done. */
export const DETECTION_HOURS = `
  WITH one AS (
    SELECT stream_id, hour,
      CASE WHEN grouping(kind) = 0 THEN 'kind' WHEN grouping(severity) = 0 THEN 'severity'
        WHEN grouping(label) = 0 THEN 'label' WHEN grouping(verdict) = 0 THEN 'verdict' ELSE 'stream' END AS dimension,
      coalesce(kind, severity, label, verdict, stream_id::text) AS key,
      count(*) AS count, min(seq) AS first_seq, max(seq) AS last_seq
    FROM (
      SELECT stream_id, to_timestamp(floor(date_part('epoch', detected_at) / 3600) * 3600) AS hour, kind, severity,
        lower(label) AS label, coalesce(verdict, 'none') AS verdict, seq
      FROM detections WHERE stream_id = ANY($1::uuid[]) AND seq >= $2::bigint
    ) d
    GROUP BY GROUPING SETS ((stream_id, hour, kind), (stream_id, hour, severity), (stream_id, hour, label),
      (stream_id, hour, verdict), (stream_id, hour))
  ), every AS (
    SELECT dimension, stream_id, hour, key, count, first_seq, last_seq FROM one
    UNION ALL
    SELECT dimension, '${ALL_STREAMS}'::uuid, hour, key, sum(count), min(first_seq), max(last_seq)
    FROM one GROUP BY dimension, hour, key
  )
  INSERT INTO detection_hours AS h (dimension, stream_id, hour, key, count, first_seq, last_seq)
  SELECT dimension, stream_id, hour, key, count::integer, first_seq, last_seq FROM every ORDER BY 1, 2, 3, 4
  ON CONFLICT (dimension, stream_id, hour, key) DO UPDATE SET count = h.count + excluded.count,
    first_seq = least(h.first_seq, excluded.first_seq), last_seq = greatest(h.last_seq, excluded.last_seq)`;

/** What was said; about one of a hundred has a rare word. */
export const TRANSCRIPTS = `
  INSERT INTO transcripts (id, stream_id, session, text, language, engine, model, vad_mean, filters, started_at,
    ended_at, created_at)
  SELECT pg_temp.key(i, 'transcript'), ${STREAM}, 1,
    ${pick(PHRASES, 21)} || ', ' || ${pick(PHRASES, 22)}
      || CASE WHEN pg_temp.part(i, 23) < 0.01 THEN ' ' || ${pick(RARE, 24)} ELSE '' END || '.',
    'en', 'whisper', 'tiny', 0.7 + 0.3 * pg_temp.part(i, 25), '{}', at - interval '6 seconds', at, at
  FROM (SELECT i, ${AT} AS at FROM ${NUMBERS}) made
  WHERE $4::uuid[] IS NOT NULL ORDER BY i`;

/** Told to every admin and to the agents of the stream, as the ingest does; three of four are read. */
export const NOTIFICATIONS = `
  INSERT INTO notifications (user_id, detection_id, stream_id, kind, modality, title, body, severity, created_at,
    read_at)
  SELECT u.id, d.id, d.stream_id, 'detection', d.kind, d.label || ' on ' || s.name, 'Seen, heard or read with a confidence of '
      || round(d.confidence::numeric, 2) || '.', d.severity, d.created_at,
    CASE WHEN pg_temp.part(d.seq, 31) < 0.75 THEN d.created_at + interval '10 minutes' * pg_temp.part(d.seq, 32) END
  FROM ${NUMBERS}
  JOIN detections d ON d.id = pg_temp.key(i, 'detection')
  JOIN streams s ON s.id = d.stream_id
  JOIN users u ON u.disabled_at IS NULL AND (u.role = 'admin'
    OR EXISTS (SELECT 1 FROM assignments a WHERE a.stream_id = d.stream_id AND a.agent_id = u.id))
  WHERE $3::uuid[] IS NOT NULL AND $4::uuid[] IS NOT NULL AND $5::bigint + $6::bigint + $8::integer > 0
    AND $7::timestamptz IS NOT NULL
  ORDER BY d.seq
  ON CONFLICT (user_id, detection_id) WHERE kind = 'detection' DO NOTHING`;

/** Reads of the trail: who changed what. */
export const AUDIT_ENTRIES = `
  INSERT INTO audit_entries (at, actor_id, actor_name, action, target_type, target_id, target_name, after)
  SELECT at, ${pick('$4::uuid[]', 41)}, 'seed-agent',
    ${pick(texts(['detection.judged', 'stream.updated', 'session.opened', 'assignment.created', 'stream.created']), 42, 2)},
    ${pick(texts(['detection', 'stream', 'session', 'assignment']), 43)}, ${STREAM}::text, 'seeded', '{"seeded": true}'
  FROM (SELECT i, ${AT} AS at FROM ${NUMBERS}) made ORDER BY i`;

/** Streams that nobody watches; those that are there stay as they are. `$1` how many. */
export const STREAMS = `
  INSERT INTO streams (name, platform, url, priority)
  SELECT 'Seeded stream ' || lpad(i::text, 4, '0'), 'url', 'https://seed.invalid/' || i || '/live.m3u8', 1 + i % 10
  FROM generate_series(1, $1::integer) i ON CONFLICT DO NOTHING`;

/** Agents who share one password. `$1` how many, `$2` hash of the password. */
export const AGENTS = `
  INSERT INTO users (username, email, name, role, password_hash)
  SELECT 'seed-agent-' || lpad(i::text, 3, '0'), 'seed-agent-' || i || '@seed.invalid', 'Seeded agent ' || i, 'agent', $2
  FROM generate_series(1, $1::integer) i
  ON CONFLICT (lower(username)) DO UPDATE SET password_hash = excluded.password_hash`;

/** Each stream to two agents. `$1` ids of streams, `$2` ids of agents. */
export const ASSIGNMENTS = `
  INSERT INTO assignments (stream_id, agent_id, automatic)
  SELECT s.id, ($2::uuid[])[1 + (s.number + turn) % array_length($2::uuid[], 1)], true
  FROM unnest($1::uuid[]) WITH ORDINALITY AS s (id, number) CROSS JOIN generate_series(0, 1) turn
  ON CONFLICT DO NOTHING`;

/** Tables that have grown. */
export const GROWN = [
  'detections',
  'detection_hours',
  'verdicts',
  'transcripts',
  'notifications',
  'audit_entries',
  'assignments',
] as const;
