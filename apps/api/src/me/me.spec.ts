import { TestApi } from '../test-api.fixture.js';

describe('what users say of themselves', () => {
  let api: TestApi;
  let token: string;

  beforeAll(async () => {
    api = await TestApi.start({}, 10);
    token = await api.token(await api.user('alice', 'agent'));
  }, 60_000);

  afterAll(() => api.close());

  async function patch(body: object, ifMatch?: string): Promise<{ status: number; etag: string; body: unknown }> {
    const response = await fetch(`${api.url}/api/me`, {
      method: 'PATCH',
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        ...(ifMatch === undefined ? {} : { 'if-match': ifMatch }),
      },
      body: JSON.stringify(body),
    });
    return { status: response.status, etag: response.headers.get('etag') ?? '', body: await response.json() };
  }

  it('is theirs to read and to change', async () => {
    const changed = await patch({ name: 'Alice', bio: 'Watches at night.', receiveUpdates: false });
    const expected = { username: 'alice', name: 'Alice', bio: 'Watches at night.', receiveUpdates: false };
    expect(changed).toMatchObject({ status: 200, body: expected });
    const read = await api.call('GET', '/api/me', token);
    expect(read.body).toEqual(changed.body);
    expect(read.headers.get('etag')).toBe(changed.etag);
  });

  it('is nothing that gives them rights', async () => {
    for (const body of [{ role: 'admin' }, { username: 'admin' }, { disabledAt: null }, { version: 1 }, { id: 'x' }]) {
      expect((await patch(body)).status).toBe(400);
    }
    expect((await api.call('GET', '/api/me', token)).body).toMatchObject({ role: 'agent', username: 'alice' });
  });

  it('is not overwritten by a change made from an older version', async () => {
    const first = await patch({ bio: 'one' });
    const second = await patch({ bio: 'two' }, first.etag);
    expect(second).toMatchObject({ status: 200, body: { bio: 'two' } });
    expect(second.etag).not.toBe(first.etag);
    const stale = await patch({ bio: 'three' }, first.etag);
    expect(stale).toMatchObject({ status: 412, body: { code: 'request.version.precondition_failed' } });
    expect((await api.call('GET', '/api/me', token)).body['bio']).toBe('two');
  });

  it('lets one of several changes made from the same version through', async () => {
    const { etag } = await patch({ bio: 'start' });
    const answers = await Promise.all([1, 2, 3, 4].map((n) => patch({ bio: `race ${String(n)}` }, etag)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 412, 412, 412]);
  });
});
