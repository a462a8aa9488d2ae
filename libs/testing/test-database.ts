import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { z } from 'zod';
import { loadSettings } from '#libs/config/environment.js';
import { secret, setting } from '#libs/config/settings.js';

const HOW = 'run the tests by `npm test`, which brings Postgres and Redis, or point it at a server of your own';

const testSettings = {
  DATABASE_URL: secret(z.url({ error: HOW }), 'PostgreSQL in which each spec makes a database of its own.'),
};
const testRedisSettings = {
  REDIS_URL: secret(z.url({ error: HOW }), 'Redis whose databases 8 to 15 the specs may wipe.'),
  SECOND_REDIS_URL: secret(z.url().optional(), 'The same for the second worker, when specs run two at a time.'),
  JEST_WORKER_ID: setting(z.enum(['1', '2']).default('1'), 'Which of the two workers this is; set by Jest.'),
};

/** A database of a test's own. */
export interface TestDatabase {
  url: string;
  /** Ends what is connected to it and removes it. */
  drop(): Promise<void>;
}

/**
 * Makes an empty database on the server of `DATABASE_URL`.
 * @throws ConfigError that says how to run the tests, when `DATABASE_URL` is unset.
 */
export async function createTestDatabase(): Promise<TestDatabase> {
  const server = loadSettings(testSettings).DATABASE_URL;
  const name = `vigil_test_${randomBytes(6).toString('hex')}`;
  await onServer(server, `CREATE DATABASE ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => onServer(server, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`) };
}

/**
 * The Redis of this worker with one of the databases that specs may wipe, 8 to 15. The specs of one worker run one
 * after another, so two may use the same one; each worker has a server of its own, since channels know no databases.
 * @throws ConfigError that says how to run the tests, when `REDIS_URL` is unset.
 */
export function testRedisUrl(database: number): string {
  const settings = loadSettings(testRedisSettings);
  const second = settings.JEST_WORKER_ID === '2' ? settings.SECOND_REDIS_URL : undefined;
  const url = new URL(second ?? settings.REDIS_URL);
  url.pathname = `/${String(database)}`;
  return url.href;
}

async function onServer(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
