import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';

/** Asks the database whether it is there. */
@Injectable()
export class DatabaseProbe {
  constructor(private readonly dataSource: DataSource) {}

  /** @throws when it does not answer. */
  async ping(): Promise<void> {
    await this.dataSource.query('SELECT 1');
  }
}
