import { createLogger } from '#libs/observability/logger.js';
import { connectRedis } from '#libs/bus/redis.js';
import { createTestDatabase, testRedisUrl, type TestDatabase } from '#libs/testing/test-database.js';
import { clearUnderLoad } from '../bench/retention.js';

/** The full form is `npm run bench -- retention`: a million rows. */
const OLD = 8_000;

describe('retention while facts come in', () => {
  let database: TestDatabase;

  beforeAll(async () => {
    database = await createTestDatabase();
    const redis = connectRedis(testRedisUrl(8), 'wipe', createLogger('test', 'silent'));
    await redis.flushdb();
    redis.disconnect();
  });
  afterAll(() => database.drop());

  it('removes what is old with its files, keeps what is to be kept, and holds up nobody', async () => {
    const figures = await clearUnderLoad(database.url, testRedisUrl(8), OLD);
    expect(figures).toMatchObject({ kept: { marked: OLD / 100, there: OLD / 100 }, left: { rows: 0, files: 0 } });
    expect(figures.ingest.stored).toBe(figures.ingest.sent);
    expect(figures.longestLockWaitMs).toBeLessThan(1_000);
  }, 120_000);
});
