import { execFile, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { childEnvironment, repositoryRoot } from '#libs/config/environment.js';
import { createTestDatabase, type TestDatabase } from '#libs/testing/test-database.js';

const tool = fileURLToPath(new URL('./db.js', import.meta.url));
const run = promisify(execFile);

interface Run {
  code: number | null;
  output: string;
  errors: string;
}

function db(args: string[], changes: Record<string, string>): Promise<Run> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [tool, ...args], {
      env: childEnvironment({ NODE_ENV: 'development', ...changes }),
      timeout: 120_000,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [output, errors] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (errors += chunk));
    child.once('error', reject).once('close', (code) => resolve({ code, output, errors }));
  });
}

/** A block of commands as the documentation gives it. */
function documented(name: string): string {
  const text = readFileSync(join(repositoryRoot, 'docs', 'database.md'), 'utf8');
  return new RegExp(`^\`\`\`bash ${name}\\n([^]*?)^\`\`\``, 'm').exec(text)?.[1] ?? '';
}

describe('npm run db:…', () => {
  let database: TestDatabase;

  beforeEach(async () => {
    database = await createTestDatabase();
  });
  afterEach(() => database.drop());

  async function query<Row extends object>(url: string, statement: string): Promise<Row[]> {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      return (await client.query<Row>(statement)).rows;
    } finally {
      await client.end();
    }
  }
  const addStream = `INSERT INTO streams (name, url) VALUES ('door', 'http://example.test/a.m3u8')`;

  it('init makes a database that is not there, once; check finds nothing wrong with it', async () => {
    await database.drop();
    const env = { DATABASE_URL: database.url };
    const first = await db(['init'], env);
    expect(first).toMatchObject({ code: 0, output: expect.stringMatching(/^Made the database vigil_test_/) as string });
    expect(first.output).toContain('ran Foundation1763900000000');
    expect(await db(['init'], env)).toMatchObject({ code: 0, output: expect.not.stringContaining('ran ') as string });
    expect(await db(['check'], env)).toMatchObject({
      code: 0,
      output: expect.stringContaining('All is well') as string,
    });
    const left = await query(database.url, `SELECT 1 FROM pg_database WHERE starts_with(datname, 'vigil_check_')`);
    expect(left).toEqual([]);
  }, 120_000);

  it('check tells what somebody changed by hand, and what has not run yet', async () => {
    const env = { DATABASE_URL: database.url };
    expect(await db(['check'], env)).toMatchObject({
      code: 1,
      output: expect.stringContaining('not run yet: Foundation1763900000000') as string,
    });
    await db(['migrate'], env);
    await query(
      database.url,
      `ALTER TABLE users ALTER name DROP NOT NULL; DROP INDEX detections_kind_idx; CREATE TABLE notes (id integer)`,
    );
    const { code, output } = await db(['check'], env);
    expect(code).toBe(1);
    expect(output.split('\n').filter((line) => line !== '')).toEqual([
      expect.stringContaining('missing in the database: column users.name text not null'),
      expect.stringContaining('missing in the database: index CREATE INDEX detections_kind_idx'),
      expect.stringContaining('beside the migrations: column notes.id integer'),
      expect.stringContaining('beside the migrations: column users.name text default'),
    ]);
  }, 120_000);

  it('reset removes nothing unasked, in production, or under an api; then everything', async () => {
    const env = { DATABASE_URL: database.url };
    await db(['init'], env);
    await query(database.url, addStream);
    const count = async (): Promise<number> => (await query(database.url, 'SELECT 1 FROM streams')).length;

    expect(await db(['reset'], env)).toMatchObject({ code: 1, errors: expect.stringContaining('--yes') as string });
    const production = { ...env, NODE_ENV: 'production' };
    expect(await db(['reset', '--yes'], production)).toMatchObject({
      code: 1,
      errors: expect.stringContaining('--force') as string,
    });
    const api = new pg.Client({ connectionString: database.url, application_name: 'vigil-api' });
    await api.connect();
    const inUse = await db(['reset', '--yes'], env);
    await api.end();
    expect(inUse).toMatchObject({ code: 1, errors: expect.stringContaining('an api is connected') as string });
    expect(await count()).toBe(1);

    expect((await db(['reset', '--yes', '--force'], production)).code).toBe(0);
    expect(await count()).toBe(0);
  }, 120_000);

  it.each([[[]], [['drop']], [['init', '--force']], [['reset', '--sure']]])(
    'says how it is used when asked with %j',
    async (args) => {
      const { code, errors } = await db(args, { DATABASE_URL: database.url });
      expect(code).toBe(2);
      expect(errors).toContain('usage: npm run db:init');
    },
  );

  it('is backed up and restored by the commands of docs/database.md', async () => {
    const [version] = await query<{ server: string }>(
      database.url,
      `SELECT current_setting('server_version_num') AS server`,
    );
    const server = Math.floor(Number(version?.server) / 10_000);
    const client = await run('pg_dump', ['--version']).then(
      ({ stdout }) => Number(/(\d+)[.\d]*/.exec(stdout)?.[1]),
      () => 0,
    );
    if (client < server) {
      const found = client === 0 ? 'there is no pg_dump' : `pg_dump is of version ${client}`;
      process.stderr.write(`left out, the server is of version ${server} and ${found}: backup and restore\n`);
      return;
    }
    const directory = await mkdtemp(join(tmpdir(), 'vigil-backup-'));
    const evidence = join(directory, 'evidence');
    const env = childEnvironment({ DATABASE_URL: database.url, EVIDENCE_DIR: evidence });
    try {
      await mkdir(evidence);
      await writeFile(join(evidence, 'a.jpg'), 'picture');
      await db(['init'], { DATABASE_URL: database.url });
      await query(database.url, addStream);
      await run('bash', ['-ec', documented('backup')], { cwd: directory, env });
      await query(
        database.url,
        `DELETE FROM streams; ${addStream.replace('door', 'other')}; DROP TABLE detections CASCADE`,
      );
      await rm(join(evidence, 'a.jpg'));
      await run('bash', ['-ec', documented('restore')], { cwd: directory, env });
      expect(await query(database.url, 'SELECT name FROM streams')).toEqual([{ name: 'door' }]);
      expect(await readFile(join(evidence, 'a.jpg'), 'utf8')).toBe('picture');
      expect(await db(['check'], { DATABASE_URL: database.url })).toMatchObject({ code: 0 });
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  }, 120_000);
});
