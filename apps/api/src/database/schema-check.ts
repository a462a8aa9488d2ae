import { randomBytes } from 'node:crypto';
import pg from 'pg';
import type { DataSource } from 'typeorm';
import { z } from 'zod';
import { messageOf, AppError } from '#libs/errors/app-error.js';
import { createDataSource } from './data-source.js';
import { migrations } from './migrations.js';
import { migrate } from './open-database.js';
import { differencesOf, schemaOf } from './schema-snapshot.js';

/** What a check found. */
export interface SchemaReport {
  /** Sentences; none when all is well. */
  faults: string[];
  /** Migrations that the code has and the database has not. */
  pending: string[];
}

const Names = z.array(z.object({ name: z.string() }));

/**
 * Whether the migrations can be done, undone and done again, whether they make what the entities describe, and whether
 * the database of `url` is what they make of an empty one. Works in a database of its own on the same server.
 * @throws AppError `database.check_impossible` when no database may be made there.
 */
export async function checkSchema(url: string): Promise<SchemaReport> {
  const name = `vigil_check_${randomBytes(6).toString('hex')}`;
  try {
    await onServer(url, `CREATE DATABASE ${name} TEMPLATE template0`);
  } catch (error) {
    throw new AppError(
      'database.check_impossible',
      'user',
      `A database to try the migrations in cannot be made (${messageOf(error)}): give the account the right to (ALTER ROLE … CREATEDB).`,
      {},
      { cause: error },
    );
  }
  const scratch = new URL(url);
  scratch.pathname = `/${name}`;
  try {
    return await withSource(scratch.href, async (trial) => {
      const faults = await faultsOfMigrations(trial);
      const made = await schemaOf(trial);
      faults.push(...(await faultsOfEntities(trial)));
      const real = await withSource(url, (source) => stateOf(source, made));
      return { faults: [...faults, ...real.faults], pending: real.pending };
    });
  } finally {
    await onServer(url, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
  }
}

/** Up, down and up again. */
async function faultsOfMigrations(trial: DataSource): Promise<string[]> {
  await migrate(trial);
  const up = await schemaOf(trial);
  for (let undone = 0; undone < migrations.length; undone += 1) await trial.undoLastMigration();
  const left = await schemaOf(trial);
  await migrate(trial);
  const { missing, added } = differencesOf(up, await schemaOf(trial));
  return [
    ...left.map((line) => `undoing all migrations leaves behind: ${line}`),
    ...missing.map((line) => `is gone after the migrations were undone and done again: ${line}`),
    ...added.map((line) => `is new after the migrations were undone and done again: ${line}`),
  ];
}

const Columns = z.array(
  z.object({ table: z.string(), name: z.string(), type: z.string(), nullable: z.boolean(), filled: z.boolean() }),
);

/** Columns that an entity describes differently, and those that it would have to fill and does not know. */
export async function faultsOfEntities(source: DataSource): Promise<string[]> {
  const columns = Columns.parse(
    await source.query(`
      SELECT c.relname AS "table", a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type,
        NOT a.attnotnull AS nullable, a.atthasdef OR a.attidentity <> '' AS filled
      FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
      WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')`),
  );
  return source.entityMetadatas.flatMap(({ tableName, columns: described }) => {
    const real = new Map(columns.filter(({ table }) => table === tableName).map((column) => [column.name, column]));
    const faults = described.flatMap((column) => {
      const { databaseName: name, isArray, isNullable } = column;
      const place = `${tableName}.${name}`;
      const there = real.get(name);
      real.delete(name);
      if (there === undefined) return [`an entity describes ${place}, which is not there`];
      const type = source.driver.normalizeType(column) + (isArray ? '[]' : '');
      return [
        ...(type === there.type ? [] : [`${place} is ${there.type}, its entity says ${type}`]),
        ...(isNullable === there.nullable ? [] : [`${place} and its entity differ in whether it may be null`]),
      ];
    });
    const unknown = [...real.values()].filter(({ nullable, filled }) => !nullable && !filled);
    return [...faults, ...unknown.map(({ name }) => `${tableName}.${name} must be filled, and no entity knows it`)];
  });
}

/** How a database stands to what migrations make of an empty one. */
async function stateOf(source: DataSource, made: readonly string[]): Promise<SchemaReport> {
  const [notes] = await source.query<{ there: boolean }[]>(
    `SELECT to_regclass('public.migrations') IS NOT NULL AS there`,
  );
  const ran = notes?.there === true ? Names.parse(await source.query('SELECT name FROM migrations')) : [];
  const done = new Set(ran.map(({ name }) => name));
  const known = migrations.map(({ name }) => name);
  const pending = known.filter((name) => !done.has(name));
  const unknown = [...done].filter((name) => !known.includes(name));
  const faults = unknown.map((name) => `the database has the migration ${name}, which this version does not know`);
  if (pending.length > 0 || unknown.length > 0) return { faults, pending };
  const { missing, added } = differencesOf(made, await schemaOf(source));
  return {
    faults: [
      ...missing.map((line) => `is missing in the database: ${line}`),
      ...added.map((line) => `is in the database beside the migrations: ${line}`),
    ],
    pending,
  };
}

async function withSource<T>(url: string, work: (source: DataSource) => Promise<T>): Promise<T> {
  const source = await createDataSource(url).initialize();
  try {
    return await work(source);
  } finally {
    await source.destroy();
  }
}

async function onServer(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
