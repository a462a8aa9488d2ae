import { Column, CreateDateColumn, Entity, PrimaryGeneratedColumn } from 'typeorm';
import type { Severity } from '#libs/contracts/primitives.js';
import type { NotificationKind } from '#libs/contracts/sockets.js';

/** What one user is told. */
@Entity('notifications')
export class NotificationEntity {
  @PrimaryGeneratedColumn('uuid')
  id!: string;

  /** Grows with every notification: cursor of lists and of replay. A 64-bit number, hence text. */
  @Column({ type: 'bigint', insert: false, update: false })
  seq!: string;

  @Column({ type: 'uuid', name: 'user_id' })
  userId!: string;

  @Column({ type: 'uuid', name: 'detection_id', nullable: true })
  detectionId!: string | null;

  @Column({ type: 'uuid', name: 'stream_id', nullable: true })
  streamId!: string | null;

  /** The alert that it tells of, null for what is no detection. */
  @Column({ type: 'uuid', name: 'alert_id', nullable: true })
  alertId!: string | null;

  @Column({ type: 'text' })
  kind!: NotificationKind;

  @Column({ type: 'text' })
  title!: string;

  @Column({ type: 'text' })
  body!: string;

  @Column({ type: 'text' })
  severity!: Severity;

  /** Hits that it stands for, and those among them that came under a silence. */
  @Column({ type: 'integer', default: 1 })
  count!: number;

  @Column({ type: 'integer', default: 0 })
  suppressed!: number;

  /** It came under a silence: nobody was told. */
  @Column({ type: 'boolean', default: false })
  silenced!: boolean;

  @Column({ type: 'timestamptz', name: 'last_at', default: () => 'now()' })
  lastAt!: Date;

  @Column({ type: 'timestamptz', name: 'acknowledged_at', nullable: true })
  acknowledgedAt!: Date | null;

  /** Who sent or forwarded it. */
  @Column({ type: 'uuid', name: 'sender_id', nullable: true })
  senderId!: string | null;

  /** What was forwarded. */
  @Column({ type: 'uuid', name: 'original_id', nullable: true })
  originalId!: string | null;

  @Column({ type: 'text', default: '' })
  note!: string;

  @Column({ type: 'timestamptz', name: 'read_at', nullable: true })
  readAt!: Date | null;

  @CreateDateColumn({ type: 'timestamptz', name: 'created_at' })
  createdAt!: Date;
}
