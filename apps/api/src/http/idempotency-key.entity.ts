import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A request that may come again, and its answer once it has one. */
@Entity('idempotency_keys')
export class IdempotencyKeyEntity {
  @PrimaryColumn({ type: 'uuid', name: 'user_id' })
  userId!: string;

  /** Method and path. */
  @PrimaryColumn({ type: 'text' })
  route!: string;

  /** sha-256 of the client's key, hexadecimal. */
  @PrimaryColumn({ type: 'text', name: 'key_hash' })
  keyHash!: string;

  /** sha-256 of query and body. */
  @Column({ type: 'text' })
  fingerprint!: string;

  /** Of the request that works, or worked, on it. */
  @Column({ type: 'uuid' })
  claim!: string;

  /** HTTP status; null while the request is under way. */
  @Column({ type: 'integer', nullable: true })
  status!: number | null;

  /** Headers and body, sealed. */
  @Column({ type: 'bytea', nullable: true })
  answer!: Buffer | null;

  @Column({ type: 'timestamptz', name: 'created_at' })
  createdAt!: Date;
}
