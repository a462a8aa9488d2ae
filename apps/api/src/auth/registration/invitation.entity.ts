import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';

/** Lets one person register. */
@Entity('invitations')
export class InvitationEntity {
  @PrimaryGeneratedColumn('uuid')
  id!: string;

  /** sha-256 of the code, hexadecimal. */
  @Column({ type: 'text', name: 'code_hash' })
  codeHash!: string;

  /** Whom it is for; null: whoever has the code. */
  @Column({ type: 'text', nullable: true })
  email!: string | null;

  @Column({ type: 'uuid', name: 'invited_by', nullable: true })
  invitedBy!: string | null;

  @Column({ type: 'timestamptz', name: 'expires_at' })
  expiresAt!: Date;

  @Column({ type: 'timestamptz', name: 'used_at', nullable: true })
  usedAt!: Date | null;

  @Column({ type: 'uuid', name: 'used_by', nullable: true })
  usedBy!: string | null;

  @Column({ type: 'timestamptz', name: 'created_at', default: () => 'now()' })
  createdAt!: Date;
}
