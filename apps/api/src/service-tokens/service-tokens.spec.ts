import { DataSource } from 'typeorm';
import { TestApi } from '../test-api.fixture.js';

describe('service tokens', () => {
  let api: TestApi;
  let admin: string;

  beforeAll(async () => {
    api = await TestApi.start({}, 11);
    admin = await api.token(await api.user('chief', 'admin'));
  }, 60_000);

  afterAll(() => api.close());

  const create = async (name: string, scopes = ['chat:push']): Promise<{ id: string; token: string }> => {
    const { status, body } = await api.call('POST', '/api/service-tokens', admin, { name, scopes });
    expect(status).toBe(201);
    return { id: String(body['id']), token: String(body['token']) };
  };
  // A stream that is not there: who gets as far as that was let in.
  const use = async (token: string): Promise<unknown> => {
    const body = { messages: [{ id: '1', username: 'a', text: 'b' }] };
    return (await api.call('POST', '/api/streams/4be0643f-1d98-473b-97cd-ca98a65347dd/chat', token, body)).body['code'];
  };
  const find = async (id: string): Promise<Record<string, unknown>> => {
    const [row] = await api.app
      .get(DataSource)
      .query<Record<string, unknown>[]>('SELECT * FROM service_tokens WHERE id = $1', [id]);
    return row ?? {};
  };

  it('are shown once, and kept as a digest alone', async () => {
    const { id, token } = await create('shown once');
    expect(token).toMatch(/^vst_[A-Za-z0-9_-]{43}$/);
    const { body } = await api.call('GET', '/api/service-tokens', admin);
    expect(JSON.stringify(body)).toContain(id);
    const kept = JSON.stringify(await find(id));
    for (const text of [JSON.stringify(body), kept]) expect(text).not.toContain(token.slice(4));
    expect(JSON.stringify(body)).not.toContain(String((await find(id))['hash']));
  });

  it('are good for their scopes and nothing else', async () => {
    const [push, forward] = [await create('push'), await create('forward', ['sockets:forward'])];
    expect(await use(push.token)).toBe('stream.not_found');
    expect(await use(forward.token)).toBe('service_token.scope.forbidden');
    for (const path of ['/api/streams', '/api/service-tokens', '/api/detections']) {
      expect((await api.call('GET', path, push.token)).status).toBe(401);
    }
  });

  it('are refused when forged, and from the moment they are revoked', async () => {
    const { id, token } = await create('revoked');
    const last = token.at(-1) === 'A' ? 'B' : 'A';
    const forged = [
      `${token.slice(0, -1)}${last}`,
      token.slice(4),
      `${token}A`,
      'vst_',
      `vst_${'x'.repeat(5_000)}`,
      admin,
    ];
    for (const text of forged) expect(await use(text)).toBe('auth.unauthorized');
    expect(await use(token)).toBe('stream.not_found');
    for (let times = 0; times < 2; times += 1) {
      expect((await api.call('DELETE', `/api/service-tokens/${id}`, admin)).status).toBe(204);
      expect(await use(token)).toBe('auth.unauthorized');
    }
    const nobody = await api.call('DELETE', '/api/service-tokens/4be0643f-1d98-473b-97cd-ca98a65347dd', admin);
    expect(nobody.body).toMatchObject({ status: 404, code: 'service_token.not_found' });
  });

  it('note when they were used, at most once a minute', async () => {
    const { id, token } = await create('used');
    const usedAt = async (): Promise<unknown> => (await find(id))['last_used_at'];
    expect(await usedAt()).toBeNull();
    await use(token);
    const first = await usedAt();
    expect(first).not.toBeNull();
    await use(token);
    expect(await usedAt()).toEqual(first);
    await api.app
      .get(DataSource)
      .query(`UPDATE service_tokens SET last_used_at = now() - interval '61 s' WHERE id = $1`, [id]);
    const before = await usedAt();
    await use(token);
    expect(Number(await usedAt())).toBeGreaterThan(Number(before));
  });

  it('page by name without a gap or a double', async () => {
    const names: unknown[] = [];
    let cursor: unknown = null;
    do {
      const { body } = await api.call(
        'GET',
        `/api/service-tokens?limit=2${typeof cursor === 'string' ? `&cursor=${cursor}` : ''}`,
        admin,
      );
      names.push(...(body['items'] as { name: string }[]).map(({ name }) => name));
      cursor = body['nextCursor'];
    } while (cursor !== null);
    expect(names).toEqual([...new Set(names)].sort());
    expect(names).toEqual(expect.arrayContaining(['forward', 'push', 'revoked', 'shown once', 'used']));
  });

  it.each([
    { name: 'x', scopes: [] },
    { name: 'x', scopes: ['everything'] },
    { name: ' ', scopes: ['chat:push'] },
  ])('are not made of %j', async (body) => {
    expect((await api.call('POST', '/api/service-tokens', admin, body)).status).toBe(400);
  });
});
