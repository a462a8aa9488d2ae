import { TestApi } from '../test-api.fixture.js';

describe('signing in without Redis', () => {
  let api: TestApi;

  beforeAll(async () => {
    // Nothing listens there.
    api = await TestApi.start({ REDIS_URL: 'redis://127.0.0.1:1/0' }, 10);
    await api.user('guessed', 'agent');
  }, 60_000);

  afterAll(() => api.close());

  it('works, and is paused all the same after ten wrong passwords', async () => {
    expect((await api.login('admin')).status).toBe(200);
    const statuses: number[] = [];
    for (let attempt = 0; attempt < 11; attempt += 1) statuses.push((await api.login('guessed', 'wrong')).status);
    expect(statuses).toEqual([...Array<number>(10).fill(401), 429]);
    expect((await api.login('guessed')).status).toBe(429);
  }, 60_000);
});
