import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A secret that was made once and is kept. */
@Entity('app_secrets')
export class AppSecretEntity {
  @PrimaryColumn({ type: 'text' })
  name!: string;

  @Column({ type: 'text' })
  value!: string;
}
