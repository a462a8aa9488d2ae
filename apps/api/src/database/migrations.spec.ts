import { createLogger } from '#libs/observability/logger.js';
import { createTestDatabase, type TestDatabase } from '#libs/testing/test-database.js';
import { createDataSource } from './data-source.js';
import { migrations } from './migrations.js';
import { migrate, openDatabase } from './open-database.js';

describe('the migrations', () => {
  let database: TestDatabase;

  beforeEach(async () => {
    database = await createTestDatabase();
  });

  afterEach(() => database.drop());

  it('go up, down and up again, and leave nothing behind', async () => {
    const dataSource = await openDatabase(database.url, createLogger('test', 'silent'));
    const tables = async (): Promise<string[]> => {
      const rows = await dataSource.query<{ name: string }[]>(
        `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1`,
      );
      return rows.map(({ name }) => name).filter((name) => name !== 'migrations');
    };
    try {
      const up = await tables();
      expect(up).toEqual(expect.arrayContaining(['users', 'streams', 'notifications', 'detections']));
      for (let undone = 0; undone < migrations.length; undone += 1) await dataSource.undoLastMigration();
      expect(await tables()).toEqual([]);
      await migrate(dataSource);
      expect(await tables()).toEqual(up);
    } finally {
      await dataSource.destroy();
    }
  });

  it('run once when several processes start together', async () => {
    const sources = await Promise.all([1, 2, 3].map(() => createDataSource(database.url).initialize()));
    try {
      await Promise.all(sources.map(migrate));
      const rows = await sources[0]?.query<{ name: string }[]>('SELECT name FROM migrations');
      expect(rows).toHaveLength(migrations.length);
    } finally {
      for (const source of sources) await source.destroy();
    }
  });

  it('describe the entities: every column that the code reads is there', async () => {
    const dataSource = await openDatabase(database.url, createLogger('test', 'silent'));
    try {
      for (const { target } of dataSource.entityMetadatas) await dataSource.manager.find(target, { take: 1 });
    } finally {
      await dataSource.destroy();
    }
  });

  it('say in one sentence that Postgres is not there', async () => {
    const opening = openDatabase('postgres://nobody@127.0.0.1:1/none', createLogger('test', 'silent'), 300);
    await expect(opening).rejects.toMatchObject({ code: 'database.unreachable', kind: 'operational' });
  });
});
