import { Column, CreateDateColumn, Entity, PrimaryGeneratedColumn, UpdateDateColumn } from 'typeorm';
import type { Severity } from '#libs/contracts/primitives.js';

/** One object on the watch list. */
@Entity('object_rules')
export class ObjectRuleEntity {
  @PrimaryGeneratedColumn('uuid')
  id!: string;

  @Column({ type: 'text' })
  label!: string;

  @Column({ type: 'double precision' })
  threshold!: number;

  @Column({ type: 'text' })
  severity!: Severity;

  @Column({ type: 'integer', name: 'cooldown_ms' })
  cooldownMs!: number;

  @Column({ type: 'integer' })
  version!: number;

  @Column({ type: 'boolean' })
  enabled!: boolean;

  @CreateDateColumn({ type: 'timestamptz', name: 'created_at' })
  createdAt!: Date;

  @UpdateDateColumn({ type: 'timestamptz', name: 'updated_at' })
  updatedAt!: Date;
}
