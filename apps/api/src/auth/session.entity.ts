import { Column, CreateDateColumn, Entity, PrimaryGeneratedColumn } from 'typeorm';

/** One sign-in: the family of all refresh tokens that descend from it. */
@Entity('auth_sessions')
export class SessionEntity {
  @PrimaryGeneratedColumn('uuid')
  id!: string;

  @Column({ type: 'uuid', name: 'user_id' })
  userId!: string;

  /** Highest generation of refresh tokens issued so far. */
  @Column({ type: 'integer' })
  generation!: number;

  @Column({ type: 'timestamptz', name: 'expires_at' })
  expiresAt!: Date;

  @Column({ type: 'timestamptz', name: 'revoked_at', nullable: true })
  revokedAt!: Date | null;

  /** `User-Agent` of whoever signed in, cut. */
  @Column({ type: 'text', name: 'user_agent', default: '' })
  userAgent!: string;

  /** Address that the sign-in came from. */
  @Column({ type: 'text', default: '' })
  address!: string;

  /** Of the newest refresh. */
  @Column({ type: 'timestamptz', name: 'last_used_at', default: () => 'now()' })
  lastUsedAt!: Date;

  @CreateDateColumn({ type: 'timestamptz', name: 'created_at' })
  createdAt!: Date;
}
