import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { AppSecretEntity } from './app-secret.entity.js';

/** The table of secrets that were made once and are kept. */
@Injectable()
export class AppSecretsRepository {
  constructor(private readonly dataSource: DataSource) {}

  /** The secret of this name; when there is none yet, `candidate` becomes it. Several processes may ask at once. */
  async keep(name: string, candidate: string): Promise<string> {
    const secrets = this.dataSource.getRepository(AppSecretEntity);
    await secrets.createQueryBuilder().insert().values({ name, value: candidate }).orIgnore().execute();
    return (await secrets.findOneByOrFail({ name })).value;
  }
}
