import { setTimeout as sleep } from 'node:timers/promises';
import type { DataSource } from 'typeorm';
import { AppError, messageOf } from '#libs/errors/app-error.js';
import type { Logger } from '#libs/observability/logger.js';
import { ADVISORY_LOCKS } from './advisory-locks.js';
import { createDataSource } from './data-source.js';

/**
 * Connects to Postgres, trying again while it is not there, and brings the schema up to date.
 * @throws AppError `database.unreachable` when it is not there within `patienceMs`.
 */
export async function openDatabase(url: string, logger: Logger, patienceMs = 15_000): Promise<DataSource> {
  const dataSource = createDataSource(url);
  const deadline = Date.now() + patienceMs;
  for (let attempt = 1; !dataSource.isInitialized; attempt += 1) {
    try {
      await dataSource.initialize();
    } catch (error) {
      if (isFinal(error) || Date.now() >= deadline) throw unreachable(error);
      if (attempt === 1) logger.warn('Postgres does not answer yet; trying again for some seconds');
      await sleep(Math.min(250 * attempt, 1_000));
    }
  }
  try {
    await migrate(dataSource);
  } catch (error) {
    await dataSource.destroy();
    throw error;
  }
  return dataSource;
}

/** Runs what migrations are missing; several processes may call it at once. */
export async function migrate(dataSource: DataSource): Promise<void> {
  const runner = dataSource.createQueryRunner();
  try {
    await runner.query('SET statement_timeout = 0');
    await runner.query('SELECT pg_advisory_lock($1)', [ADVISORY_LOCKS.migration]);
    try {
      await dataSource.runMigrations();
    } finally {
      await runner.query('SELECT pg_advisory_unlock($1)', [ADVISORY_LOCKS.migration]);
      await runner.query('RESET statement_timeout');
    }
  } finally {
    await runner.release();
  }
}

/** Waiting mends neither a wrong password (SQLSTATE 28…) nor a database that does not exist (3D…). */
function isFinal(error: unknown): boolean {
  return /^(28|3D)/.test(codeOf(error));
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

function unreachable(cause: unknown): AppError {
  return new AppError(
    'database.unreachable',
    'operational',
    codeOf(cause).startsWith('3D')
      ? `${messageOf(cause)}: make it by \`npm run db:init\`, or correct DATABASE_URL.`
      : `Postgres cannot be reached (${messageOf(cause) || 'connection refused'}): check DATABASE_URL and that the server runs.`,
    {},
    { cause },
  );
}
