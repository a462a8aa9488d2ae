import { Column, CreateDateColumn, Entity, PrimaryGeneratedColumn, UpdateDateColumn } from 'typeorm';
import type { ChatChannel } from '#libs/contracts/captures.js';
import type { Modality, StatusReason, StreamStatus } from '#libs/contracts/primitives.js';

/** Something to watch: where it is, whether it should be watched, and what its session last said. */
@Entity('streams')
export class StreamEntity {
  @PrimaryGeneratedColumn('uuid')
  id!: string;

  @Column({ type: 'text' })
  name!: string;

  @Column({ type: 'text' })
  platform!: string;

  @Column({ type: 'text' })
  url!: string;

  @Column({ type: 'integer' })
  priority!: number;

  /** Which parts of it are watched. */
  @Column({ type: 'text', array: true })
  parts!: Modality[];

  /** Code of the language that is spoken; null to find out. */
  @Column({ type: 'text', nullable: true })
  language!: string | null;

  /** Where its chat is, when its address does not say it. */
  @Column({ type: 'jsonb', nullable: true })
  chat!: ChatChannel | null;

  /** Whether it should be watched. */
  @Column({ type: 'boolean' })
  desired!: boolean;

  /** Grows with every start, stop, restart and edit that a capture must notice. */
  @Column({ type: 'integer' })
  generation!: number;

  /** Grows with every edit by a person; what the monitoring changes does not count. */
  @Column({ type: 'integer', default: 1 })
  revision!: number;

  /** Session that the status comes from; a 64-bit number, hence text. */
  @Column({ type: 'bigint' })
  session!: string;

  @Column({ type: 'text' })
  status!: StreamStatus;

  @Column({ type: 'text', nullable: true })
  reason!: StatusReason | null;

  @Column({ type: 'text' })
  detail!: string;

  @Column({ type: 'timestamptz', name: 'status_at' })
  statusAt!: Date;

  /** When the session's last status was true by the monitor's clock, ms; orders the facts of one session. */
  @Column({ type: 'bigint', name: 'status_fact_at' })
  statusFactAt!: string;

  @CreateDateColumn({ type: 'timestamptz', name: 'created_at' })
  createdAt!: Date;

  @UpdateDateColumn({ type: 'timestamptz', name: 'updated_at' })
  updatedAt!: Date;
}
