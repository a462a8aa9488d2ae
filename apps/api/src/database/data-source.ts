import { DataSource } from 'typeorm';
import { entities } from './entities.js';
import { migrations } from './migrations.js';

/** Connections of one api process at most. */
const POOL_SIZE = 20;

/** The data source of the api; nothing is opened yet. */
export function createDataSource(url: string): DataSource {
  return new DataSource({
    type: 'postgres',
    url,
    entities,
    migrations,
    migrationsTransactionMode: 'each',
    // Ids are made by `gen_random_uuid()`, which needs none; an account of least privilege may install none.
    installExtensions: false,
    poolSize: POOL_SIZE,
    connectTimeoutMS: 5_000,
    applicationName: 'vigil-api',
    logging: false,
    extra: {
      statement_timeout: 30_000,
      idle_in_transaction_session_timeout: 60_000,
      // Many short statements at once: helpers of one would only take the processors from the others.
      options: '-c max_parallel_workers_per_gather=0 -c jit=off',
    },
  });
}
