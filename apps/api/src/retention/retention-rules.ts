import type { ApiSettings } from '../runtime.module.js';

/** Settings that say how long something is kept. */
type DaysSetting = Extract<keyof ApiSettings, `RETENTION_${string}_DAYS`>;

/** A table that is cleared of what is old, in the order of its sequence numbers. */
export interface RetentionRule {
  name: string;
  /** When a row was stored. */
  age: string;
  days: DaysSetting;
  /** Rows of which this holds are kept for another time instead. */
  other?: { when: string; days: DaysSetting };
  /** Rows stay unless this holds, too; `d` is the row. */
  only: string;
}

/** Every row of these has a sequence number, so that a sweep passes by what is kept once. */
export const RETENTION_RULES: readonly RetentionRule[] = [
  {
    name: 'detections',
    age: 'created_at',
    days: 'RETENTION_DETECTIONS_DAYS',
    other: { when: 'd.verdict IS NOT NULL', days: 'RETENTION_REVIEWED_DAYS' },
    only: 'NOT d.keep',
  },
  {
    name: 'transcripts',
    age: 'created_at',
    days: 'RETENTION_TRANSCRIPTS_DAYS',
    // What was said goes with the finding that is kept for it.
    only: 'NOT EXISTS (SELECT FROM detections k WHERE k.keep AND k.segment_id = d.id)',
  },
  {
    name: 'notifications',
    age: 'created_at',
    days: 'RETENTION_NOTIFICATIONS_DAYS',
    only: `NOT EXISTS (SELECT FROM deliveries o WHERE o.notification_id = d.id AND o.state IN ('pending', 'sending'))`,
  },
  { name: 'messages', age: 'created_at', days: 'RETENTION_MESSAGES_DAYS', only: 'true' },
  { name: 'audit_entries', age: 'at', days: 'RETENTION_AUDIT_DAYS', only: 'true' },
];

/** A table that is cleared of what is old by an index on its age; next to nothing in it is kept longer. */
export interface AgedTable {
  name: string;
  age: string;
  days: DaysSetting;
  only: string;
}

/** Behind the notifications, which refer to them. */
export const AGED_TABLES: readonly AgedTable[] = [
  {
    name: 'deliveries',
    age: 'created_at',
    days: 'RETENTION_NOTIFICATIONS_DAYS',
    only: `state NOT IN ('pending', 'sending')`,
  },
  {
    name: 'alerts',
    age: 'closes_at',
    days: 'RETENTION_NOTIFICATIONS_DAYS',
    only: `escalate_at IS NULL AND NOT EXISTS (SELECT FROM deliveries o WHERE o.alert_id = alerts.id)`,
  },
  { name: 'canary_runs', age: 'stored_at', days: 'RETENTION_CANARY_DAYS', only: 'true' },
  { name: 'canary_probes', age: 'at', days: 'RETENTION_CANARY_DAYS', only: 'true' },
  { name: 'canary_episodes', age: 'ended_at', days: 'RETENTION_CANARY_DAYS', only: 'ended_at IS NOT NULL' },
];
