import { Column, CreateDateColumn, Entity, PrimaryColumn } from 'typeorm';
import type { DetectedObject, Modality, Quote, Severity } from '#libs/contracts/primitives.js';
import type { ChatAround } from './detection.types.js';

/** One finding on a stream: something seen, heard or read. */
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
  kind!: Modality;

  /** Null for a signal, which needs no rule. */
  @Column({ type: 'uuid', name: 'rule_id', nullable: true })
  ruleId!: string | null;

  @Column({ type: 'integer', name: 'rule_version', nullable: true })
  ruleVersion!: number | null;

  @Column({ type: 'text' })
  label!: string;

  @Column({ type: 'text' })
  severity!: Severity;

  /** Score of the best object in the evidence frame, 0 to 1. */
  @Column({ type: 'double precision' })
  confidence!: number;

  /** What was seen in the evidence frame, best first; boxes in its pixels. Empty for what was heard or read. */
  @Column({ type: 'jsonb' })
  objects!: DetectedObject[];

  @Column({ type: 'integer', name: 'frame_width', nullable: true })
  frameWidth!: number | null;

  @Column({ type: 'integer', name: 'frame_height', nullable: true })
  frameHeight!: number | null;

  /** Key of the clean frame in the evidence store, null when none was kept. */
  @Column({ type: 'text', name: 'evidence_key', nullable: true })
  evidenceKey!: string | null;

  /** Key of the stretch of sound in the evidence store, null when none was kept. */
  @Column({ type: 'text', name: 'clip_key', nullable: true })
  clipKey!: string | null;

  @Column({ type: 'text' })
  detector!: string;

  @Column({ type: 'text' })
  model!: string;

  /** A sentence for a person; may be empty. */
  @Column({ type: 'text' })
  detail!: string;

  /** The words a phrase was found in. */
  @Column({ type: 'jsonb', nullable: true })
  quote!: Quote | null;

  @Column({ type: 'uuid', name: 'segment_id', nullable: true })
  segmentId!: string | null;

  /** The line of chat and those around it. */
  @Column({ type: 'jsonb', nullable: true })
  chat!: ChatAround | null;

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

  @Column({ type: 'double precision', name: 'pts_ms', nullable: true })
  ptsMs!: number | null;

  /** What people say of it, null while nobody has said anything. */
  @Column({ type: 'text', nullable: true })
  verdict!: 'true' | 'false' | 'unsure' | null;

  /** Whether it stays however old it is. */
  @Column({ type: 'boolean', default: false })
  keep!: boolean;

  @CreateDateColumn({ type: 'timestamptz', name: 'created_at' })
  createdAt!: Date;
}
