import { createTestDatabase, testRedisUrl } from '#libs/testing/test-database.js';
import { measureSockets } from './sockets.js';

const [CLIENTS, CAPTIONS] = [300, 5];

describe('clients of the live captions', () => {
  it('all hear all of them, and after a kill -9 of the api have every one again, none missing, none doubled', async () => {
    const database = await createTestDatabase();
    try {
      const place = { databaseUrl: database.url, redisUrl: testRedisUrl(11) };
      const run = { ...place, clients: CLIENTS, captions: CAPTIONS, processes: 1, reconnectMs: 200 };
      const figures = await measureSockets(run, () => undefined);
      expect(figures.received).toBe(CLIENTS * CAPTIONS);
      expect(figures.bare.received).toBe(CLIENTS * CAPTIONS);
      expect(figures.resync).toMatchObject({ missing: 0, doubled: 0 });
      // What was said while nobody was connected came by no other way; some clients are back before the end of it.
      expect(figures.resync.replayed).toBeGreaterThan(CLIENTS * 10);
      expect(figures.resync.seconds).toBeGreaterThan(figures.resync.restartSeconds);
    } finally {
      await database.drop();
    }
  }, 240_000);
});
