import { Column, Entity, PrimaryColumn } from 'typeorm';

/** One refresh token, known by its hash alone. */
@Entity('refresh_tokens')
export class RefreshTokenEntity {
  /** sha-256 of the token, hexadecimal. */
  @PrimaryColumn({ type: 'text' })
  hash!: string;

  @Column({ type: 'uuid', name: 'session_id' })
  sessionId!: string;

  /** 1 for the token of the sign-in itself, one more with every rotation. */
  @Column({ type: 'integer' })
  generation!: number;

  @Column({ type: 'timestamptz', name: 'used_at', nullable: true })
  usedAt!: Date | null;
}
