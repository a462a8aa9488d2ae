import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { processIdentity } from './process-identity.js';
import { startPostgres } from './postgres.js';
import { packagedPostgres } from './postgres-account.js';
import { pingRedis } from './redis-ping.js';
import { findRedisServer, startRedis } from './redis.js';

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

describe('embedded servers', () => {
  let directory: string;
  beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'vigil-servers-'))));
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  it('Postgres keeps its data over a start, runs where its user cannot enter, and takes over from one left behind', async () => {
    // mkdtemp makes a directory that only its owner may enter; as root, Postgres runs as another user.
    const dir = join(directory, 'postgres');
    if (packagedPostgres() === null) {
      await expect(startPostgres({ dir })).rejects.toThrow(/set DATABASE_URL/);
      return;
    }
    const said: string[] = [];
    const options = { dir, throwaway: true, say: (text: string) => void said.push(text) };
    const first = await startPostgres(options);
    try {
      await query(first.url, 'CREATE TABLE kept AS SELECT 7 AS n');
      await first.stop();
      const second = await startPostgres(options);
      expect(await query(second.url, 'SELECT n FROM kept')).toEqual([{ n: 7 }]);
      const left = second.process.pid ?? 0;
      const third = await startPostgres(options);
      expect(processIdentity(left)).toBeNull();
      expect(said.join('\n')).toContain(`(process ${left}) still runs`);
      expect(await query(third.url, 'SELECT n FROM kept')).toEqual([{ n: 7 }]);
      await third.stop();
      await second.stop();
    } finally {
      await first.stop();
      if (!first.dataDir.startsWith(directory)) rmSync(join(first.dataDir, '..'), { recursive: true, force: true });
    }
  }, 60_000);

  it('the Redis in JavaScript speaks, wants its password, and says that it is for evaluation', async () => {
    const redis = await startRedis({ dir: join(directory, 'redis'), fallback: true });
    try {
      expect(redis.kind).toBe('js');
      expect(redis.description).toContain('evaluation only');
      expect(await pingRedis(redis.url)).toBe(true);
      await expect(pingRedis(redis.url.replace(/:[^:@]+@/, ':wrong@'))).rejects.toThrow('WRONGPASS');
    } finally {
      await redis.stop();
    }
    await expect(pingRedis(redis.url)).rejects.toThrow();
  }, 20_000);

  it('a Redis on PATH is preferred and keeps its address over a restart', async () => {
    const program = await findRedisServer();
    const redis = await startRedis({ dir: join(directory, 'redis') });
    try {
      expect(redis.kind).toBe(program?.kind ?? 'js');
      await redis.restart();
      expect(await pingRedis(redis.url)).toBe(true);
    } finally {
      await redis.stop();
    }
  }, 20_000);
});
