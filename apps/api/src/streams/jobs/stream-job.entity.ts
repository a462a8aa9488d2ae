import { Column, CreateDateColumn, Entity, PrimaryGeneratedColumn } from 'typeorm';
import type { StreamJobResult } from './stream-jobs.dto.js';

/** Work on streams that takes a while, and how far it has come. */
@Entity('stream_jobs')
export class StreamJobEntity {
  @PrimaryGeneratedColumn('uuid')
  id!: string;

  @Column({ type: 'text' })
  kind!: 'start' | 'import' | 'refresh';

  /** Who asked for it. */
  @Column({ type: 'uuid', name: 'user_id', nullable: true })
  userId!: string | null;

  @Column({ type: 'text' })
  state!: 'running' | 'done' | 'failed';

  @Column({ type: 'integer' })
  total!: number;

  @Column({ type: 'integer' })
  finished!: number;

  /** A sentence for a person. */
  @Column({ type: 'text' })
  detail!: string;

  @Column({ type: 'jsonb' })
  results!: StreamJobResult[];

  @CreateDateColumn({ type: 'timestamptz', name: 'created_at' })
  createdAt!: Date;

  /** When it was last heard of. */
  @Column({ type: 'timestamptz', name: 'updated_at', default: () => 'now()' })
  updatedAt!: Date;
}
