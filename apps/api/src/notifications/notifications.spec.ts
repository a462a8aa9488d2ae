import { randomUUID } from 'node:crypto';
import { DataSource } from 'typeorm';
import type { NotificationView } from '#libs/contracts/sockets.js';
import { DetectionOpenedHandler } from '../detections/detection-fact.handlers.js';
import { TestApi, videoFact } from '../test-api.fixture.js';

describe('notifications', () => {
  let api: TestApi;
  let admin: string;
  let streamId: string;
  let token: string;

  beforeAll(async () => {
    api = await TestApi.start({}, 14);
    admin = await api.token(await api.user('chief', 'admin'));
    const agentId = await api.user('watcher', 'agent');
    token = await api.token(agentId);
    const body = { name: randomUUID(), url: 'https://example.com/a' };
    streamId = String((await api.call('POST', '/api/streams', admin, body)).body['id']);
    await api.call('POST', '/api/assignments', admin, { streamId, agentId });
  }, 60_000);

  afterAll(() => api.close());

  async function list(query = ''): Promise<{ items: NotificationView[]; nextCursor: string | null }> {
    const { status, body } = await api.call('GET', `/api/notifications${query}`, token);
    expect(status).toBe(200);
    return body as unknown as { items: NotificationView[]; nextCursor: string | null };
  }

  it('go to the assigned agent and to enabled admins, once for each detection', async () => {
    const disabled = await api.user('off', 'admin');
    await api.disable(disabled);
    await api.user('stranger', 'agent');
    const told: string[] = [];
    const off = api.events.on('notification.created', ({ userId }) => told.push(userId));
    const { id } = await api.detect(streamId);
    off();
    // The first admin, the chief and the watcher.
    expect(new Set(told).size).toBe(3);
    expect(told).toHaveLength(3);
    expect(told).not.toContain(disabled);
    expect((await list()).items.filter(({ detectionId }) => detectionId === id)).toHaveLength(1);
  });

  it('page backwards without gaps or doubles, and forwards from the last one seen', async () => {
    const [newest] = (await list('?limit=1')).items;
    const made: string[] = [];
    for (let count = 0; count < 5; count += 1) made.push((await api.detect(streamId)).id);
    const seen: (string | null)[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const page = await list(`?limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`);
      seen.push(...page.items.map(({ detectionId }) => detectionId));
      cursor = page.nextCursor;
    }
    expect(seen.slice(0, 5)).toEqual([...made].reverse());
    expect(new Set(seen).size).toBe(seen.length);
    const since = await list(`?after=${String(newest?.seq)}&limit=3`);
    expect(since.items.map(({ detectionId }) => detectionId)).toEqual(made.slice(0, 3));
    const rest = await list(`?limit=3&cursor=${String(since.nextCursor)}`);
    expect(rest.items.map(({ detectionId }) => detectionId)).toEqual(made.slice(3));
  });

  it('never get a number below one that somebody has seen, however many make them at once', async () => {
    let cursor = (await list('?limit=1')).items[0]?.seq ?? '0';
    const seen: string[] = [];
    const look = async (): Promise<void> => {
      const { items } = await list(`?after=${cursor}`);
      seen.push(...items.map(({ kind }) => kind));
      cursor = items.at(-1)?.seq ?? cursor;
    };
    const dataSource = api.app.get(DataSource, { strict: false });
    const waits = async (): Promise<boolean> => {
      const locks = await dataSource.query<unknown[]>(
        `SELECT 1 FROM pg_locks l JOIN pg_database d ON d.oid = l.database
         WHERE d.datname = current_database() AND l.locktype = 'advisory' AND NOT l.granted`,
      );
      return locks.length > 0;
    };
    let posted: Promise<unknown> = Promise.resolve();
    await dataSource.transaction(async (tx) => {
      const inserted = await api.app.get(DetectionOpenedHandler, { strict: false }).apply(tx, [videoFact(streamId)]);
      expect(inserted.length).toBeGreaterThan(0);
      let done = false;
      const message = { role: 'agent', title: 'Meanwhile' };
      posted = api.call('POST', '/api/notifications', admin, message).then(() => (done = true));
      // The ingest is not done yet: whoever makes another one either waits for it or overtakes it.
      const deadline = Date.now() + 10_000;
      while (!done && !(await waits()) && Date.now() < deadline) await new Promise((next) => setTimeout(next, 10));
      await look();
    });
    await posted;
    await look();
    expect(seen).toEqual(['detection', 'message']);
  }, 30_000);

  it('are read one by one or all at once', async () => {
    const before = await list('?unread=true');
    const [first] = before.items;
    const read = await api.call('PUT', `/api/notifications/${String(first?.id)}/read`, token);
    expect(read.body['readAt']).not.toBeNull();
    const count = await api.call('GET', '/api/notifications/unread-count', token);
    expect(count.body).toEqual({ notifications: before.items.length - 1 });
    expect((await api.call('PUT', '/api/notifications/read-all', token)).body).toEqual({
      changed: before.items.length - 1,
    });
    expect((await list('?unread=true')).items).toEqual([]);
    // The others' are untouched.
    const admins = await api.call('GET', '/api/notifications/unread-count', admin);
    expect(admins.body['notifications']).toBeGreaterThan(0);
  });
});
