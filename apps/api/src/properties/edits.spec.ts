import { randomUUID } from 'node:crypto';
import { DataSource } from 'typeorm';
import { TEST_PASSWORD, TestApi } from '../test-api.fixture.js';

const CORNERS = [
  [0, 0],
  [1, 0],
  [0, 1],
];
const unique = (): string => randomUUID().slice(0, 13);

/** What two people may edit: how one is made, and two edits of it. */
interface Editable {
  list: (streamId: string) => string;
  make: () => object;
  edits: readonly [object, object];
  table: string;
}

const EDITABLES: Readonly<Record<string, Editable>> = {
  streams: {
    list: () => '/api/streams',
    make: () => ({ name: unique(), url: 'https://example.com/a.m3u8' }),
    edits: [{ priority: 1 }, { priority: 9 }],
    table: 'streams',
  },
  objects: {
    list: () => '/api/objects',
    make: () => ({ label: unique() }),
    edits: [{ threshold: 0.1 }, { threshold: 0.9 }],
    table: 'object_rules',
  },
  keywords: {
    list: () => '/api/keywords',
    make: () => ({ pattern: unique() }),
    edits: [{ severity: 'high' }, { severity: 'low' }],
    table: 'keyword_rules',
  },
  zones: {
    list: (streamId) => `/api/streams/${streamId}/zones`,
    make: () => ({ name: unique(), points: CORNERS }),
    edits: [{ kind: 'exclude' }, { kind: 'include' }],
    table: 'zones',
  },
  agents: {
    list: () => '/api/agents',
    make: () => ({ username: `u${unique()}`, email: `${unique()}@example.com`, password: TEST_PASSWORD, capacity: 3 }),
    edits: [{ name: 'one' }, { name: 'two' }],
    table: 'users',
  },
};

/** Creations that may be repeated with their key, and the table in which there is one row then. */
const CREATIONS: Readonly<Record<string, { path: (streamId: string) => string; body: () => object; table: string }>> = {
  ...Object.fromEntries(
    Object.entries(EDITABLES).map(([name, { list, make, table }]) => [name, { path: list, body: make, table }]),
  ),
  'keyword imports': {
    path: () => '/api/keywords/import',
    body: () => ({ rules: [{ pattern: unique() }] }),
    table: 'keyword_rules',
  },
  'stream jobs': {
    path: () => '/api/streams/jobs',
    body: () => ({ name: unique(), url: 'https://example.com/a.m3u8' }),
    table: 'stream_jobs',
  },
  'stream imports': {
    path: () => '/api/streams/import',
    body: () => ({ streams: [{ name: unique(), url: 'https://example.com/a.m3u8' }] }),
    table: 'stream_jobs',
  },
  'service tokens': {
    path: () => '/api/service-tokens',
    body: () => ({ name: unique(), scopes: ['chat:push'] }),
    table: 'service_tokens',
  },
  invitations: {
    path: () => '/api/auth/invitations',
    body: () => ({ email: `${unique()}@example.com` }),
    table: 'invitations',
  },
};

describe('edits by two people', () => {
  let api: TestApi;
  let admin: string;
  let streamId: string;

  beforeAll(async () => {
    api = await TestApi.start({}, 8);
    admin = await api.token(await api.user('chief', 'admin'));
    streamId = String((await api.call('POST', '/api/streams', admin, EDITABLES['streams']?.make())).body['id']);
  }, 60_000);

  afterAll(() => api.close());

  async function send(method: string, path: string, headers: Record<string, string>, body?: unknown) {
    const response = await fetch(api.url + path, {
      method,
      headers: {
        authorization: `Bearer ${admin}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const parsed = text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
    return {
      status: response.status,
      etag: response.headers.get('etag') ?? '',
      headers: response.headers,
      body: parsed,
    };
  }

  const count = async (table: string): Promise<number> => {
    const [row] = await api.app.get(DataSource).query<{ n: number }[]>(`SELECT count(*)::int AS n FROM ${table}`);
    return row?.n ?? -1;
  };

  it.each(Object.entries(EDITABLES))('of %s do not undo each other', async (_name, { list, make, edits }) => {
    const made = await send('POST', list(streamId), {}, make());
    expect(made.status).toBe(201);
    const { id } = (made.body['agent'] ?? made.body) as { id: string };
    const path = `${list(streamId)}/${id}`;
    const read = await send('GET', path, {});
    expect(read.etag).toMatch(/^"\d+"$/);
    expect(made.etag).toBe(read.etag);
    const first = await send('PATCH', path, { 'if-match': read.etag }, edits[0]);
    expect(first).toMatchObject({ status: 200, body: edits[0] });
    expect(first.etag).not.toBe(read.etag);
    const stale = await send('PATCH', path, { 'if-match': read.etag }, edits[1]);
    expect(stale).toMatchObject({ status: 412, body: { code: 'request.version.precondition_failed' } });
    expect((await send('DELETE', path, { 'if-match': read.etag })).status).toBe(412);
    const after = await send('GET', path, {});
    expect(after.body).toEqual(first.body);
    expect(after.etag).toBe(first.etag);
    expect((await send('PATCH', path, {}, edits[1])).status).toBe(200);
    const last = await send('GET', path, {});
    expect((await send('DELETE', path, { 'if-match': last.etag })).status).toBe(204);
    expect((await send('GET', path, {})).status).toBe(404);
  });

  it('of signals do not undo each other', async () => {
    const path = '/api/signals/clipping';
    const read = await send('GET', path, {});
    expect((await send('PATCH', path, { 'if-match': read.etag }, { severity: 'high' })).status).toBe(200);
    expect((await send('PATCH', path, { 'if-match': read.etag }, { severity: 'low' })).status).toBe(412);
    expect((await send('GET', path, {})).body['severity']).toBe('high');
  });

  it('at the same moment leave one winner', async () => {
    const id = String((await send('POST', '/api/objects', {}, { label: unique() })).body['id']);
    const { etag } = await send('GET', `/api/objects/${id}`, {});
    const edits = [0.1, 0.2, 0.3, 0.4].map((threshold) =>
      send('PATCH', `/api/objects/${id}`, { 'if-match': etag }, { threshold }),
    );
    const statuses = (await Promise.all(edits)).map(({ status }) => status).sort();
    expect(statuses).toEqual([200, 412, 412, 412]);
  });

  it('are not needed for what the monitoring changes: a start leaves the tag of a stream as it is', async () => {
    const before = await send('GET', `/api/streams/${streamId}`, {});
    await send('POST', `/api/monitoring/stream/${streamId}/start`, {});
    expect((await send('GET', `/api/streams/${streamId}`, {})).etag).toBe(before.etag);
  });

  it.each(Object.entries(CREATIONS))('repeated creations of %s make one', async (_name, { path, body, table }) => {
    const headers = { 'idempotency-key': randomUUID() };
    const request = body();
    const first = await send('POST', path(streamId), headers, request);
    expect(first.status).toBeLessThan(300);
    const there = await count(table);
    const second = await send('POST', path(streamId), headers, request);
    expect(second.status).toBe(first.status);
    expect(second.body).toEqual(first.body);
    expect(second.headers.get('idempotency-replayed')).toBe('true');
    expect(await count(table)).toBe(there);
    expect((await send('POST', path(streamId), headers, body())).status).toBe(422);
  });

  it('repeated creations of assignments make one', async () => {
    const agentId = await api.user(`a${unique()}`, 'agent');
    const headers = { 'idempotency-key': randomUUID() };
    const first = await send('POST', '/api/assignments', headers, { streamId, agentId });
    const second = await send('POST', '/api/assignments', headers, { streamId, agentId });
    expect([first.status, second.status]).toEqual([201, 201]);
    expect(second.body).toEqual(first.body);
  });
});
