import { Column, CreateDateColumn, Entity, PrimaryGeneratedColumn, UpdateDateColumn } from 'typeorm';
import type { KeywordRule } from '#libs/contracts/captures.js';
import type { Severity } from '#libs/contracts/primitives.js';

/** One word, phrase or pattern that is looked for in chat and speech. */
@Entity('keyword_rules')
export class KeywordRuleEntity {
  @PrimaryGeneratedColumn('uuid')
  id!: string;

  @Column({ type: 'text' })
  label!: string;

  @Column({ type: 'text' })
  pattern!: string;

  @Column({ type: 'text' })
  kind!: KeywordRule['kind'];

  @Column({ type: 'text', array: true })
  allow!: string[];

  @Column({ type: 'boolean' })
  fuzzy!: boolean;

  @Column({ type: 'boolean' })
  phonetic!: boolean;

  @Column({ type: 'text', name: 'applies_to' })
  appliesTo!: KeywordRule['appliesTo'];

  @Column({ type: 'text', nullable: true })
  language!: string | null;

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

/** What of a keyword an admin decides. */
export type KeywordFields = Omit<KeywordRuleEntity, 'id' | 'version' | 'createdAt' | 'updatedAt'>;
