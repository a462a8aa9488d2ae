import { Column, CreateDateColumn, Entity, PrimaryGeneratedColumn, UpdateDateColumn } from 'typeorm';
import type { UserRole } from '../auth/authenticated-user.js';

/** Someone who may sign in. User names and e-mail addresses are unique whatever their case. */
@Entity('users')
export class UserEntity {
  @PrimaryGeneratedColumn('uuid')
  id!: string;

  @Column({ type: 'text' })
  username!: string;

  @Column({ type: 'text' })
  email!: string;

  @Column({ type: 'text' })
  name!: string;

  /** argon2id, in PHC form. */
  @Column({ type: 'text', name: 'password_hash' })
  passwordHash!: string;

  @Column({ type: 'text' })
  role!: UserRole;

  @Column({ type: 'boolean', name: 'must_change_password' })
  mustChangePassword!: boolean;

  /** What the user says of itself. */
  @Column({ type: 'text', default: '' })
  bio!: string;

  /** Whether the user wants news about Vigil by mail. */
  @Column({ type: 'boolean', name: 'receive_updates', default: true })
  receiveUpdates!: boolean;

  /** Counts the changes of the row. */
  @Column({ type: 'integer', default: 1 })
  version!: number;

  @Column({ type: 'timestamptz', name: 'disabled_at', nullable: true })
  disabledAt!: Date | null;

  /** How many streams an agent looks after at most; null for any number. */
  @Column({ type: 'integer', nullable: true })
  capacity!: number | null;

  @CreateDateColumn({ type: 'timestamptz', name: 'created_at' })
  createdAt!: Date;

  @UpdateDateColumn({ type: 'timestamptz', name: 'updated_at' })
  updatedAt!: Date;
}
