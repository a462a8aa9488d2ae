import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { childEnvironment } from '#libs/config/environment.js';
import { createTestDatabase, type TestDatabase } from '#libs/testing/test-database.js';

const tool = fileURLToPath(new URL('./seed.js', import.meta.url));

interface Run {
  code: number | null;
  output: string;
  errors: string;
}

function run(args: string[], changes: Record<string, string> = {}): Promise<Run> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [tool, ...args], {
      env: childEnvironment({ NODE_ENV: 'development', ...changes }),
      timeout: 60_000,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [output, errors] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (errors += chunk));
    child.once('error', reject).once('close', (code) => resolve({ code, output, errors }));
  });
}

describe('npm run seed', () => {
  let database: TestDatabase;
  let client: pg.Client;

  beforeAll(async () => {
    database = await createTestDatabase();
    client = new pg.Client({ connectionString: database.url });
    await client.connect();
  });
  afterAll(async () => {
    await client.end();
    await database.drop();
  });

  const seed = (...args: string[]): Promise<Run> => run(args, { DATABASE_URL: database.url });
  async function first<Row extends object>(statement: string): Promise<Row | undefined> {
    return (await client.query<Row>(statement)).rows[0];
  }

  it('fills an empty database with everything that lists show, and adds to what is there', async () => {
    const { code, output } = await seed('--detections', '2000', '--streams', '6', '--agents', '3');
    expect({ code, output }).toEqual({ code: 0, output: expect.stringContaining('Added 2000 detections') as string });
    expect((await seed('--detections', '1000', '--streams', '6', '--agents', '3')).code).toBe(0);
    expect(
      await first(
        `SELECT (SELECT count(*)::int FROM detections) AS detections,
           (SELECT count(DISTINCT kind)::int FROM detections) AS kinds,
           (SELECT count(*)::int FROM streams) AS streams,
           (SELECT count(*)::int FROM assignments) AS assignments,
           (SELECT count(*)::int FROM transcripts) AS transcripts,
           (SELECT count(*) = (SELECT count(*) FROM detections WHERE verdict IS NOT NULL) FROM verdicts) AS judged,
           (SELECT count(*) >= 300 FROM notifications) AS told,
           (SELECT count(*)::int FROM audit_entries) AS entries`,
      ),
    ).toEqual({
      ...{ detections: 3000, kinds: 3, streams: 6, assignments: 12, transcripts: 750 },
      ...{ judged: true, told: true, entries: 150 },
    });
  });

  it('watches none of its streams', async () => {
    expect(await first('SELECT count(*)::int AS watched FROM streams WHERE desired')).toEqual({ watched: 0 });
  });

  it('refuses in production unless forced', async () => {
    const args = ['--detections', '10', '--streams', '1', '--agents', '1'];
    const refused = await run(args, { NODE_ENV: 'production', DATABASE_URL: database.url });
    expect(refused.code).toBe(1);
    expect(refused.errors).toContain('--force');
    const forced = await run([...args, '--force'], { NODE_ENV: 'production', DATABASE_URL: database.url });
    expect(forced.code).toBe(0);
  });

  it('adds nothing to a database on another machine unless someone agrees', async () => {
    const elsewhere = { DATABASE_URL: 'postgres://vigil@db.invalid/vigil' };
    const { code, errors } = await run(['--detections', '10'], elsewhere);
    expect(code).toBe(1);
    expect(errors).toContain('--yes');
  });

  it.each([[[]], [['--detections', '0']], [['--detections', 'many']], [['--detection', '5']]])(
    'says how it is used when asked with %j',
    async (args) => {
      const { code, errors } = await run(args);
      expect(code).toBe(2);
      expect(errors).toContain('usage: npm run seed');
    },
  );
});
