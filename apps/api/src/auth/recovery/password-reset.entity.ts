import { Column, Entity, PrimaryColumn } from 'typeorm';

/** Lets one person choose a new password without the old one. */
@Entity('password_resets')
export class PasswordResetEntity {
  /** sha-256 of the code, hexadecimal. */
  @PrimaryColumn({ type: 'text', name: 'code_hash' })
  codeHash!: string;

  @Column({ type: 'uuid', name: 'user_id' })
  userId!: string;

  @Column({ type: 'timestamptz', name: 'expires_at' })
  expiresAt!: Date;

  @Column({ type: 'timestamptz', name: 'created_at', default: () => 'now()' })
  createdAt!: Date;
}
