import { Column, CreateDateColumn, Entity, PrimaryColumn } from 'typeorm';

/** Something that was said on a stream, as an engine wrote it down. */
@Entity('transcripts')
export class TranscriptEntity {
  /** The segment's id, given by the monitor: the same segment never makes two rows. */
  @PrimaryColumn('uuid')
  id!: string;

  /** Grows with every segment: cursor of lists and of replay. A 64-bit number, hence text. */
  @Column({ type: 'bigint', insert: false, update: false })
  seq!: string;

  @Column({ type: 'uuid', name: 'stream_id' })
  streamId!: string;

  /** Session of the stream that heard it; a 64-bit number, hence text. */
  @Column({ type: 'bigint' })
  session!: string;

  @Column({ type: 'text' })
  text!: string;

  /** Code of the language, null when it is not known. */
  @Column({ type: 'text', nullable: true })
  language!: string | null;

  /** Id of the engine that wrote it, and name of the model it used. */
  @Column({ type: 'text' })
  engine!: string;

  @Column({ type: 'text' })
  model!: string;

  /** Mean probability of speech, 0 to 1. */
  @Column({ type: 'double precision', name: 'vad_mean' })
  vadMean!: number;

  /** Filters that changed the text. */
  @Column({ type: 'text', array: true })
  filters!: string[];

  @Column({ type: 'timestamptz', name: 'started_at' })
  startedAt!: Date;

  @Column({ type: 'timestamptz', name: 'ended_at' })
  endedAt!: Date;

  @CreateDateColumn({ type: 'timestamptz', name: 'created_at' })
  createdAt!: Date;
}
