import { Column, CreateDateColumn, Entity, PrimaryGeneratedColumn } from 'typeorm';
import type { Severity } from '#libs/contracts/primitives.js';

/** What one user is told about one detection. */
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

  @Column({ type: 'text' })
  kind!: 'detection';

  @Column({ type: 'text' })
  title!: string;

  @Column({ type: 'text' })
  body!: string;

  @Column({ type: 'text' })
  severity!: Severity;

  @Column({ type: 'timestamptz', name: 'read_at', nullable: true })
  readAt!: Date | null;

  @CreateDateColumn({ type: 'timestamptz', name: 'created_at' })
  createdAt!: Date;
}
