import { TEST_PASSWORD, TestApi } from '../test-api.fixture.js';

describe('the page on Socket.IO', () => {
  let api: TestApi;

  beforeAll(async () => {
    api = await TestApi.start({ NODE_ENV: 'production' }, 10);
    await api.user('chief', 'admin');
    await api.user('agent', 'agent');
  }, 60_000);

  afterAll(() => api.close());

  it('is for admins in production, as the rest of the documentation is', async () => {
    const open = (login?: string): Promise<Response> => {
      const basic = Buffer.from(`${login ?? ''}:${TEST_PASSWORD}`).toString('base64');
      return fetch(
        `${api.url}/docs/events`,
        login === undefined ? {} : { headers: { authorization: `Basic ${basic}` } },
      );
    };
    expect((await open()).status).toBe(401);
    expect((await open('agent')).status).toBe(401);
    const page = await open('chief');
    expect(page.status).toBe(200);
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(await page.text()).toContain('<code>message_read</code>');
  });
});
