import { TestApi } from '../test-api.fixture.js';

describe('looking at one thing on demand', () => {
  let api: TestApi;
  let agent: string;

  beforeAll(async () => {
    api = await TestApi.start({}, 8);
    const admin = await api.token(await api.user('chief', 'admin'));
    await api.call('POST', '/api/keywords', admin, { pattern: 'free money' });
    await api.call('POST', '/api/keywords', admin, { pattern: 'nothing', enabled: false });
    agent = await api.token(await api.user('watcher', 'agent'));
  }, 60_000);

  afterAll(() => api.close());

  const detect = (body: unknown) => api.call('POST', '/api/detect', agent, body);

  it('finds the enabled keywords in a text, with the reason, and keeps nothing', async () => {
    const { status, body } = await detect({ text: 'fr33 money and nothing else' });
    expect(status).toBe(200);
    expect(body['hits']).toMatchObject([{ pattern: 'free money', matched: 'fr33 money', start: 0 }]);
    expect((await detect({ text: 'good evening' })).body).toEqual({ hits: [] });
    expect((await api.call('GET', '/api/detections', agent)).body['items']).toEqual([]);
  });

  it('says that no monitor looks at single images, and refuses what is neither', async () => {
    expect(await detect({ image: '/9j/4AAQ' })).toMatchObject({
      status: 503,
      body: { code: 'detect.image.unavailable' },
    });
    for (const body of [{}, { image: 'no base64!' }, { text: '' }]) expect((await detect(body)).status).toBe(400);
  });
});
