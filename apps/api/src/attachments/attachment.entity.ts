import { Column, CreateDateColumn, Entity, PrimaryGeneratedColumn } from 'typeorm';

/** A file that was uploaded; its bytes are in the evidence store under `attachments/<id>`. */
@Entity('attachments')
export class AttachmentEntity {
  @PrimaryGeneratedColumn('uuid')
  id!: string;

  @Column({ type: 'uuid', name: 'uploader_id', nullable: true })
  uploaderId!: string | null;

  /** The message it was sent with; null until then, and after the message is gone. */
  @Column({ type: 'uuid', name: 'message_id', nullable: true })
  messageId!: string | null;

  /** Its place among those of the message. */
  @Column({ type: 'integer', default: 0 })
  position!: number;

  @Column({ type: 'text' })
  name!: string;

  @Column({ type: 'text', name: 'content_type' })
  contentType!: string;

  @Column({ type: 'integer' })
  size!: number;

  @Column({ type: 'integer', nullable: true })
  width!: number | null;

  @Column({ type: 'integer', nullable: true })
  height!: number | null;

  @CreateDateColumn({ type: 'timestamptz', name: 'created_at' })
  createdAt!: Date;
}
