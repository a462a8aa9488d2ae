import { Column, Entity, PrimaryColumn, UpdateDateColumn } from 'typeorm';
import type { Severity, Signal } from '#libs/contracts/primitives.js';

/** How a signal is told; there is one row for each. */
@Entity('signal_rules')
export class SignalRuleEntity {
  @PrimaryColumn({ type: 'text' })
  signal!: Signal;

  @Column({ type: 'text' })
  severity!: Severity;

  @Column({ type: 'integer', name: 'cooldown_ms' })
  cooldownMs!: number;

  @Column({ type: 'integer' })
  version!: number;

  @Column({ type: 'boolean' })
  enabled!: boolean;

  @UpdateDateColumn({ type: 'timestamptz', name: 'updated_at' })
  updatedAt!: Date;
}
