import pg from 'pg';
import { z } from 'zod';
import { AppError, messageOf } from '#libs/errors/app-error.js';
import { createLogger } from '#libs/observability/logger.js';
import { openDatabase } from '../../apps/api/src/database/open-database.js';

/** Name under which these commands are seen on the server. */
const NAME = 'vigil-db';
/** SQLSTATE of a database that does not exist. */
const NO_DATABASE = '3D000';

const Named = z.array(z.object({ name: z.string() }));

/** Makes the database that a url names. @returns whether it was not there before. */
export async function createDatabase(url: string): Promise<boolean> {
  try {
    await withClient(url, () => Promise.resolve());
    return false;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === NO_DATABASE)) throw unreachable(error);
  }
  const server = new URL(url);
  const name = decodeURIComponent(server.pathname.slice(1));
  server.pathname = '/postgres';
  try {
    await withClient(server.href, (client) => client.query(`CREATE DATABASE ${pg.escapeIdentifier(name)}`));
  } catch (error) {
    throw new AppError('db.not_created', 'operational', `The database ${name} cannot be made: ${messageOf(error)}`);
  }
  return true;
}

/** Brings the schema up to date. @returns names of the migrations that ran. @throws AppError `database.unreachable` */
export async function migrateDatabase(url: string): Promise<string[]> {
  const before = await migrationsOf(url);
  await (await openDatabase(url, createLogger('db', 'silent'))).destroy();
  return (await migrationsOf(url)).filter((name) => !before.includes(name));
}

/**
 * Removes everything in the schema, whoever made it.
 * @throws AppError `db.in_use` while an api is connected.
 */
export async function emptyDatabase(url: string): Promise<void> {
  await withClient(url, async (client) => {
    const { rowCount } = await client.query(
      `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'vigil-api'`,
    );
    if ((rowCount ?? 0) > 0) {
      throw new AppError(
        'db.in_use',
        'user',
        'Nothing was removed: an api is connected to the database. Stop it first.',
      );
    }
    await client.query('BEGIN; DROP SCHEMA public CASCADE; CREATE SCHEMA public; COMMIT');
  });
}

async function migrationsOf(url: string): Promise<string[]> {
  try {
    return await withClient(url, async (client) => {
      const there = await client.query(`SELECT 1 WHERE to_regclass('public.migrations') IS NOT NULL`);
      if (there.rowCount === 0) return [];
      return Named.parse((await client.query('SELECT name FROM migrations ORDER BY id')).rows).map(({ name }) => name);
    });
  } catch (error) {
    throw unreachable(error);
  }
}

function unreachable(error: unknown): AppError {
  return new AppError(
    'database.unreachable',
    'operational',
    `Postgres cannot be reached (${messageOf(error) || 'connection refused'}): check DATABASE_URL and that the server runs.`,
  );
}

async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, application_name: NAME, connectionTimeoutMillis: 5_000 });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
