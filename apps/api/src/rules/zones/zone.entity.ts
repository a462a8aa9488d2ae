import { Column, CreateDateColumn, Entity, PrimaryGeneratedColumn, UpdateDateColumn } from 'typeorm';
import type { Zone } from '#libs/contracts/captures.js';
import type { RelativePoint } from '#libs/contracts/primitives.js';

/** A part of a stream's picture in which objects count, or do not. */
@Entity('zones')
export class ZoneEntity {
  @PrimaryGeneratedColumn('uuid')
  id!: string;

  @Column({ type: 'uuid', name: 'stream_id' })
  streamId!: string;

  @Column({ type: 'text' })
  name!: string;

  @Column({ type: 'text' })
  kind!: Zone['kind'];

  @Column({ type: 'jsonb' })
  points!: RelativePoint[];

  @Column({ type: 'text', array: true })
  labels!: string[];

  @Column({ type: 'integer' })
  version!: number;

  @CreateDateColumn({ type: 'timestamptz', name: 'created_at' })
  createdAt!: Date;

  @UpdateDateColumn({ type: 'timestamptz', name: 'updated_at' })
  updatedAt!: Date;
}

/** What of a zone an admin decides. */
export type ZoneFields = Pick<ZoneEntity, 'name' | 'kind' | 'points' | 'labels'>;
