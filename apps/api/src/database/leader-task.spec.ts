import { Writable } from 'node:stream';
import pg from 'pg';
import { createLogger } from '#libs/observability/logger.js';
import { createTestDatabase, type TestDatabase } from '#libs/testing/test-database.js';
import { until } from '#libs/testing/until.js';
import { LeaderTask } from './leader-task.js';

const KEY = 4_711;

/** Real: a Postgres, whose lock decides. */
describe('what one process among all does', () => {
  let database: TestDatabase;
  const tasks: LeaderTask[] = [];
  let lines: string[] = [];
  const logger = createLogger(
    'test',
    'warn',
    new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        lines.push(chunk.toString('utf8'));
        done();
      },
    }),
  );

  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterEach(async () => {
    await Promise.all(tasks.splice(0).map((task) => task.stop()));
    lines = [];
  });
  afterAll(() => database.drop());

  function start(turn: (signal: AbortSignal, since: number) => Promise<void>): LeaderTask {
    const task = new LeaderTask({
      ...{ databaseUrl: database.url, key: KEY, everyMs: 5, turn, complaint: 'it fails', logger },
    });
    tasks.push(task);
    task.start();
    return task;
  }

  it('is done by one, and by another once that one stops', async () => {
    const turns = { one: 0, other: 0 };
    const one = start(() => Promise.resolve(void (turns.one += 1)));
    await until(() => turns.one > 0, 'the first leads');
    start(() => Promise.resolve(void (turns.other += 1)));
    await until(() => turns.one > 10, 'it goes on');
    expect(turns.other).toBe(0);
    await one.stop();
    const { one: last } = turns;
    await until(() => turns.other > 0, 'the other goes on');
    expect(turns.one).toBe(last);
  });

  it('is given up when the lock is lost, and begun anew', async () => {
    const began: number[] = [];
    let given = 0;
    start(async (signal, since) => {
      began.push(since);
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
      given += 1;
    });
    await until(() => began.length === 1, 'a turn');
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    await client.query(`SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objid = $1`, [
      KEY,
    ]);
    await client.end();
    await until(() => began.length === 2, 'it leads again');
    expect(given).toBe(1);
    expect(began[1]).toBeGreaterThanOrEqual(began[0] ?? Infinity);
  });

  it('says each new kind of fault once, and goes on', async () => {
    const faults = ['away', 'away', 'away', 'full', 'away'];
    let turns = 0;
    start(() => {
      const fault = faults[turns];
      turns += 1;
      return fault === undefined ? Promise.resolve() : Promise.reject(new Error(fault));
    });
    await until(() => turns > faults.length, 'all turns');
    expect(lines.map((line) => /"fault":"(\w+)"/.exec(line)?.[1])).toEqual(['away', 'full', 'away']);
  });
});
