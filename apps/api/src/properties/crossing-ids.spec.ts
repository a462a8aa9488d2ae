import { randomUUID } from 'node:crypto';
import { DataSource } from 'typeorm';
import { TestApi } from '../test-api.fixture.js';
import { ApiDocument, operationsOf, type ApiOperation } from './operations.fixture.js';

/** In every name and text that is the other's: it must not come back to one who is not. */
const MARK = 'geheim';
const CORNERS = [
  [0, 0],
  [1, 0],
  [0, 1],
];

interface Territory {
  agentId: string;
  token: string;
  /** Ids by the last word of the parameter's path, or by the name of a query parameter. */
  ids: Readonly<Record<string, string>>;
}

describe('what belongs to one agent', () => {
  let api: TestApi;
  let admin: string;
  let mine: Territory;
  let theirs: Territory;
  let operations: ApiOperation[];

  beforeAll(async () => {
    api = await TestApi.start({}, 8);
    admin = await api.token(await api.user('chief', 'admin'));
    operations = operationsOf(ApiDocument.parse((await api.call('GET', '/openapi.json')).body));
    mine = await territory('own');
    theirs = await territory(MARK);
  }, 60_000);

  afterAll(() => api.close());

  async function made(path: string, body: unknown): Promise<string> {
    const answer = await api.call('POST', path, admin, body);
    expect(answer.status).toBe(201);
    return String(answer.body['id']);
  }

  /** A stream with everything on it that can be on one, looked after by an agent of its own. */
  async function territory(mark: string): Promise<Territory> {
    const name = (): string => `${mark}-${randomUUID().slice(0, 8)}`;
    const agentId = await api.user(name(), 'agent');
    const streamId = await made('/api/streams', { name: name(), url: `https://example.com/${mark}.m3u8` });
    const assignmentId = await made('/api/assignments', { streamId, agentId, notes: name() });
    const zoneId = await made(`/api/streams/${streamId}/zones`, { name: name(), points: CORNERS });
    const { id: detectionId } = await api.detect(streamId);
    const now = Date.now();
    await api.store({
      type: 'transcript.written',
      ...{ segmentId: randomUUID(), streamId, session: 1, text: `everybody says ${mark}`, language: 'en' },
      ...{ engine: 'sherpa', model: 'whisper-tiny', vadMean: 0.8, filters: [], startedAt: now, endedAt: now + 1_500 },
    });
    const token = await api.token(agentId);
    const verdict = { verdict: 'false', note: name() };
    expect((await api.call('PUT', `/api/detections/${detectionId}/verdict`, token, verdict)).status).toBe(200);
    const notes = await api.call('GET', '/api/notifications', token);
    const [notification] = notes.body['items'] as { id: string }[];
    const sessions = await api.call('GET', '/api/auth/sessions', token);
    const [session] = sessions.body['items'] as { id: string }[];
    const ids = {
      ...{ streams: streamId, stream: streamId, 'detection-status': streamId, streamId },
      ...{ assignments: assignmentId, zones: zoneId, detections: detectionId, agents: agentId, agentId },
      ...{ notifications: notification?.id ?? '', sessions: session?.id ?? '' },
    };
    return { agentId, token, ids };
  }

  /** The path with ids of this territory; null where a parameter is of another kind. */
  function pathWithin({ path }: ApiOperation, { ids }: Territory): string | null {
    let known = true;
    const filled = path.replace(/([^/]+)\/\{(\w+)\}/g, (_whole, segment: string) => {
      const id = ids[segment];
      if (id === undefined) known = false;
      return `${segment}/${id ?? ''}`;
    });
    return known ? filled : null;
  }

  const secretsOf = ({ ids }: Territory): string[] => [MARK, ...new Set(Object.values(ids))];

  /** What of the other's is in a body, but for what was sent in the request itself. */
  function leaks(body: unknown, sent: string): string[] {
    const text = JSON.stringify(body);
    return secretsOf(theirs).filter((secret) => text.replaceAll(sent, '').includes(secret));
  }

  it('is in none of the lists, counts and charts of another, filtered for it or not', async () => {
    const found: string[] = [];
    let asked = 0;
    for (const operation of operations.filter(({ method, path }) => method === 'GET' && !path.includes('{'))) {
      const queries = ['', '?q=everybody', '?by=stream', '?by=label'];
      for (const { name } of operation.parameters.filter((one) => one.in === 'query')) {
        const id = theirs.ids[name];
        if (id !== undefined) queries.push(`?${name}=${id}`, `?${name}=${id}&q=everybody`);
      }
      for (const query of queries) {
        const { status, body } = await api.call('GET', operation.path + query, mine.token);
        asked += 1;
        for (const leak of leaks(body, query))
          found.push(`${operation.operationId}${query}: ${String(status)} ${leak}`);
        const counted = query.includes(theirs.ids['streamId'] ?? '-') && status === 200;
        if (counted && /"(total|count)":[1-9]|"items":\[\{/.test(JSON.stringify(body)))
          found.push(`${operation.operationId}${query} counts`);
      }
    }
    process.stdout.write(`crossing ids: ${String(asked)} lists asked\n`);
    expect(asked).toBeGreaterThan(40);
    expect(found).toEqual([]);
  });

  it('is not there at all for another, whatever it asks of it and however it tries to change it', async () => {
    const before = await fingerprint();
    const found: string[] = [];
    let asked = 0;
    for (const operation of operations.filter(({ path }) => path.includes('{'))) {
      const path = pathWithin(operation, theirs);
      const forUsers = !operation.security.some((scheme) => 'service' in scheme);
      if (path === null || !forUsers) continue;
      const body = operation.method === 'GET' ? undefined : BODIES[operation.operationId];
      const { status, body: answer, headers } = await api.call(operation.method, path, mine.token, body);
      asked += 1;
      const adminsAlone = status === 403 && answer['code'] === 'auth.forbidden' && operation.method !== 'GET';
      const emptyList = status === 200 && JSON.stringify(answer['items']) === '[]';
      const json = headers.get('content-type')?.includes('json') === true;
      if (!adminsAlone && !emptyList && status !== 404)
        found.push(`${operation.operationId} answers ${String(status)}`);
      if (!json) found.push(`${operation.operationId} sends ${String(headers.get('content-type'))}`);
      for (const leak of leaks(answer, path)) found.push(`${operation.operationId}: ${leak}`);
    }
    process.stdout.write(`crossing ids: ${String(asked)} operations tried on what is another's\n`);
    expect(asked).toBeGreaterThan(25);
    expect(found).toEqual([]);
    expect(await fingerprint()).toBe(before);
  });

  it('is not reached through a thing of its own either', async () => {
    const [own, other] = [mine.ids, theirs.ids];
    const path = `/api/streams/${String(own['streams'])}/zones/${String(other['zones'])}`;
    expect((await api.call('GET', path, mine.token)).status).toBe(404);
    expect((await api.call('GET', path, admin)).status).toBe(404);
  });

  it('is there for its own agent, so that the tests above can fail', async () => {
    for (const path of [
      '/api/streams',
      '/api/detections',
      '/api/notifications',
      '/api/assignments',
      '/api/agent/dashboard',
    ]) {
      expect(JSON.stringify((await api.call('GET', path, theirs.token)).body)).toContain(MARK);
    }
    const image = await api.call('GET', `/api/detections/${String(theirs.ids['detections'])}/image`, theirs.token);
    expect(image.status).toBe(200);
  });

  const BODIES: Readonly<Record<string, unknown>> = {
    updateNotification: { read: true },
    updateDetection: { keep: true },
    forwardNotification: { userIds: ['7f0c4a1e-9d53-4c1b-8a56-2f6d0c1b9e11'] },
    putVerdict: { verdict: 'true', note: 'not mine' },
    updateAgent: { name: 'changed' },
    updateStream: { priority: 1 },
    updateZone: { kind: 'exclude' },
    setStreamStatus: { status: 'offline' },
    replaceStreamAssignments: { assignments: [] },
  };

  /** Everything that is the other's, as it is stored. */
  async function fingerprint(): Promise<string> {
    const { streamId, agentId } = theirs.ids;
    const tables = {
      ...{ streams: 'id', assignments: 'stream_id', zones: 'stream_id', detections: 'stream_id' },
      ...{ transcripts: 'stream_id', notifications: 'stream_id' },
    };
    const rows: unknown[] = [];
    const database = api.app.get(DataSource);
    for (const [table, column] of Object.entries(tables)) {
      rows.push(await database.query(`SELECT * FROM ${table} WHERE ${column} = $1 ORDER BY 1`, [streamId]));
    }
    rows.push(await database.query('SELECT name, disabled_at FROM users WHERE id = $1', [agentId]));
    rows.push(await database.query('SELECT revoked_at FROM auth_sessions WHERE user_id = $1', [agentId]));
    return JSON.stringify(rows);
  }
});
