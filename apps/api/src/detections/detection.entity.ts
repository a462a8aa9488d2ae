import { Column, CreateDateColumn, Entity, PrimaryColumn } from 'typeorm';
import type { DetectedObject, Severity } from '#libs/contracts/primitives.js';

/** One appearance of an object on a stream. */
@Entity('detections')
export class DetectionEntity {
  /** The event's id, given by the monitor: the same event never makes two rows. */
  @PrimaryColumn('uuid')
  id!: string;

  /** Grows with every detection: cursor of lists and of replay. A 64-bit number, hence text. */
  @Column({ type: 'bigint', insert: false, update: false })
  seq!: string;

  @Column({ type: 'uuid', name: 'stream_id' })
  streamId!: string;

  /** Session of the stream that saw it; a 64-bit number, hence text. */
  @Column({ type: 'bigint' })
  session!: string;

  @Column({ type: 'text' })
  kind!: 'video';

  @Column({ type: 'uuid', name: 'rule_id' })
  ruleId!: string;

  @Column({ type: 'integer', name: 'rule_version' })
  ruleVersion!: number;

  @Column({ type: 'text' })
  label!: string;

  @Column({ type: 'text' })
  severity!: Severity;

  /** Score of the best object in the evidence frame, 0 to 1. */
  @Column({ type: 'double precision' })
  confidence!: number;

  /** What was seen in the evidence frame, best first; boxes in its pixels. */
  @Column({ type: 'jsonb' })
  objects!: DetectedObject[];

  @Column({ type: 'integer', name: 'frame_width' })
  frameWidth!: number;

  @Column({ type: 'integer', name: 'frame_height' })
  frameHeight!: number;

  /** Key of the clean frame in the evidence store, null when none was kept. */
  @Column({ type: 'text', name: 'evidence_key', nullable: true })
  evidenceKey!: string | null;

  @Column({ type: 'text' })
  model!: string;

  @Column({ type: 'timestamptz', name: 'started_at' })
  startedAt!: Date;

  @Column({ type: 'timestamptz', name: 'detected_at' })
  detectedAt!: Date;

  /** When it was last seen, null while it is there. */
  @Column({ type: 'timestamptz', name: 'ended_at', nullable: true })
  endedAt!: Date | null;

  /** Inspected frames that showed it, null while it is there. */
  @Column({ type: 'integer', nullable: true })
  frames!: number | null;

  /** Highest score over the whole appearance, null while it is there. */
  @Column({ type: 'double precision', nullable: true })
  peak!: number | null;

  @Column({ type: 'double precision', name: 'pts_ms' })
  ptsMs!: number;

  @CreateDateColumn({ type: 'timestamptz', name: 'created_at' })
  createdAt!: Date;
}
