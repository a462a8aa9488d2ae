import { Column, CreateDateColumn, Entity, PrimaryGeneratedColumn } from 'typeorm';

/** An agent looks after a stream. */
@Entity('assignments')
export class AssignmentEntity {
  @PrimaryGeneratedColumn('uuid')
  id!: string;

  @Column({ type: 'uuid', name: 'agent_id' })
  agentId!: string;

  @Column({ type: 'uuid', name: 'stream_id' })
  streamId!: string;

  /** 1 (first) to 10: what the agent looks at first. */
  @Column({ type: 'integer' })
  priority!: number;

  @Column({ type: 'text' })
  notes!: string;

  /** Whether the agent was chosen by the api. */
  @Column({ type: 'boolean' })
  automatic!: boolean;

  @CreateDateColumn({ type: 'timestamptz', name: 'created_at' })
  createdAt!: Date;
}
