import { randomUUID } from 'node:crypto';
import { CaptureQueue } from '#libs/bus/capture-queue.js';
import { MonitorDirectory } from '#libs/bus/monitor-directory.js';
import { RuleBoard } from '#libs/bus/rule-board.js';
import type { StreamStatusChanged } from '#libs/contracts/facts.js';
import type { MonitorHeartbeat } from '#libs/contracts/monitors.js';
import { until } from '#libs/testing/until.js';
import { TransactionRunner } from '../database/transaction.js';
import { StreamStatusHandler } from '../streams/stream-status.handler.js';
import { TestApi } from '../test-api.fixture.js';

const heartbeat: MonitorHeartbeat = {
  v: 1,
  monitorId: 'm1',
  host: 'h',
  pid: 1,
  version: '0',
  startedAt: 0,
  at: 0,
  capacity: 5,
  platforms: [],
  chatSources: [],
  detectors: [],
  spool: { pending: 0, bytes: 0, shedFrames: 0, shedRecords: 0 },
  egress: { refused: 0, requests: 0, bytes: 0 },
  proxies: [],
  sessions: [],
};

describe('monitoring', () => {
  let api: TestApi;
  let admin: string;

  beforeAll(async () => {
    api = await TestApi.start({}, 12);
    admin = await api.token(await api.user('chief', 'admin'));
  }, 60_000);

  afterAll(() => api.close());

  async function stream(url = 'https://example.com/a.m3u8'): Promise<string> {
    const { body } = await api.call('POST', '/api/streams', admin, { name: randomUUID(), url });
    return String(body['id']);
  }

  const get = async (id: string): Promise<Record<string, unknown>> =>
    (await api.call('GET', `/api/streams/${id}`, admin)).body;
  const command = (id: string, verb: string): ReturnType<TestApi['call']> =>
    api.call('POST', `/api/monitoring/stream/${id}/${verb}`, admin);
  const queued = async (id: string) => (await api.app.get(CaptureQueue, { strict: false }).list()).get(id);
  const directory = (): MonitorDirectory => api.app.get(MonitorDirectory, { strict: false });

  it('queues a capture on start, takes it out on stop, and repeats do no harm', async () => {
    const id = await stream();
    const [first, again] = [await command(id, 'start'), await command(id, 'start')];
    expect(first.body).toMatchObject({ monitored: true, generation: 1, note: null, status: { status: 'pending' } });
    expect(again.body).toMatchObject({ monitored: true, generation: 1 });
    expect(await queued(id)).toEqual({ streamId: id, generation: 1, state: 'waiting' });
    const stopped = await command(id, 'stop');
    expect(stopped.body).toMatchObject({ monitored: false, generation: 2, status: { status: 'stopped' } });
    expect(await queued(id)).toBeUndefined();
  });

  it('puts a capture back that was lost, and replaces one whose source changed or that is restarted', async () => {
    const id = await stream();
    await command(id, 'start');
    await api.app.get(CaptureQueue, { strict: false }).stop(id, 1);
    await until(async () => (await queued(id))?.generation === 1);
    await api.call('PATCH', `/api/streams/${id}`, admin, { url: 'https://example.com/b.m3u8' });
    await until(async () => (await queued(id))?.generation === 2);
    const restarted = await api.call('POST', '/api/monitoring/restart', admin, { streamIds: [id] });
    expect(restarted.body).toEqual({ streamIds: [id], note: null });
    await until(async () => (await queued(id))?.generation === 3);
    await api.call('DELETE', `/api/streams/${id}`, admin);
    await until(async () => (await queued(id)) === undefined);
  });

  it('says that there is no monitor, hears of one that comes, and tells of one that goes', async () => {
    const id = await stream();
    await command(id, 'start');
    const reason = async (): Promise<unknown> => ((await get(id))['status'] as Record<string, unknown>)['reason'];
    await until(async () => (await reason()) === 'no_monitor');
    expect((await api.call('GET', '/api/monitor/health', admin)).body).toMatchObject({ status: 'down', monitors: 0 });
    const changes: string[] = [];
    const off = api.events.on('monitor.changed', ({ monitorId, state }) => changes.push(`${monitorId} ${state}`));
    await directory().announce(heartbeat, 60_000);
    await until(async () => (await reason()) === null && changes.length === 1);
    expect((await api.call('GET', '/api/monitors', admin)).body).toMatchObject({ items: [{ monitorId: 'm1' }] });
    expect((await api.call('GET', '/api/monitor/health', admin)).body).toMatchObject({ capacity: 5, monitors: 1 });
    await directory().withdraw('m1');
    await until(() => Promise.resolve(changes.length === 2));
    off();
    expect(changes).toEqual(['m1 up', 'm1 down']);
  });

  it('has the rules on the board at once after each change, and again after Redis lost them', async () => {
    const board = api.app.get(RuleBoard, { strict: false });
    const made = await api.call('POST', '/api/objects', admin, { label: 'person', threshold: 0.6 });
    expect((await board.get())?.objects).toMatchObject([{ label: 'person', threshold: 0.6, version: 1 }]);
    const id = String(made.body['id']);
    await api.call('PATCH', `/api/objects/${id}`, admin, { threshold: 0.7 });
    const changed = await board.get();
    expect(changed?.objects).toMatchObject([{ threshold: 0.7, version: 2 }]);
    expect((await api.call('POST', '/api/objects', admin, { label: 'Person' })).status).toBe(409);
    await api.call('PATCH', `/api/objects/${id}`, admin, { enabled: false });
    expect((await board.get())?.objects).toEqual([]);
    await board.put({ v: 1, version: 0, objects: [], keywords: [], zones: [], signals: [] });
    await until(async () => ((await board.get())?.version ?? 0) > (changed?.version ?? 0));
  });

  it('lets a status of an older session, generation or moment change nothing, and repeats neither', async () => {
    const id = await stream();
    await command(id, 'start');
    const handler = api.app.get(StreamStatusHandler, { strict: false });
    const says = async (fields: Partial<StreamStatusChanged>): Promise<number> => {
      const fact: StreamStatusChanged = {
        type: 'stream.status',
        streamId: id,
        session: 10,
        generation: 1,
        monitorId: 'm1',
        status: 'live',
        reason: null,
        detail: '',
        at: 1_000,
        ...fields,
      };
      return (await api.app.get(TransactionRunner, { strict: false }).run((tx) => handler.apply(tx, [fact]))).length;
    };
    const status = async (): Promise<unknown> => ((await get(id))['status'] as Record<string, unknown>)['status'];
    expect(await says({})).toBe(1);
    expect(await says({})).toBe(0);
    expect(await says({ session: 9, status: 'offline', at: 2_000 })).toBe(0);
    expect(await says({ session: 11, generation: 0, status: 'offline', at: 2_000 })).toBe(0);
    expect(await says({ status: 'offline', at: 999 })).toBe(0);
    expect(await says({ status: 'degraded', at: 1_001 })).toBe(1);
    expect(await says({ session: 11, status: 'error', reason: 'not_found', at: 500 })).toBe(1);
    expect(await status()).toBe('error');
    await command(id, 'stop');
    expect(await says({ session: 12, status: 'live', at: 9_000 })).toBe(0);
    expect(await status()).toBe('stopped');
  });

  it('shows agents the address without its secrets', async () => {
    const id = await stream('rtsp://camera:secret@example.com/live?token=secret');
    const agentId = await api.user('watcher', 'agent');
    await api.call('POST', '/api/assignments', admin, { streamId: id, agentId });
    const { body } = await api.call('GET', `/api/streams/${id}`, await api.token(agentId));
    expect(body['url']).toBe('rtsp://***@example.com/live?***');
    expect((await get(id))['url']).toBe('rtsp://camera:secret@example.com/live?token=secret');
  });

  it('refuses addresses of schemes that are not streams', async () => {
    for (const url of ['javascript:alert(1)', 'gopher://example.com/', 'concat:a|b', 'no url', 'data:text/plain,x']) {
      const { status, body } = await api.call('POST', '/api/streams', admin, { name: randomUUID(), url });
      expect({ url, status, code: body['code'] }).toEqual({ url, status: 400, code: 'request.invalid' });
    }
  });
});

describe('monitoring while Redis is away', () => {
  let api: TestApi;

  beforeAll(async () => {
    // Nothing listens on port 1.
    api = await TestApi.start({ REDIS_URL: 'redis://127.0.0.1:1' }, 13);
  }, 60_000);

  afterAll(() => api.close());

  it('still signs in, commits what should be watched, and says that the monitors hear of it later', async () => {
    const signedIn = await api.login('admin');
    expect(signedIn.status).toBe(200);
    const token = String(signedIn.body['accessToken']);
    const url = 'https://example.com/a.m3u8';
    const { body } = await api.call('POST', '/api/streams', token, { name: 'main', url });
    const id = String(body['id']);
    const started = await api.call('POST', `/api/monitoring/stream/${id}/start`, token);
    expect(started).toMatchObject({ status: 202, body: { monitored: true, note: expect.any(String) as string } });
    expect((await api.call('POST', '/api/objects', token, { label: 'person' })).status).toBe(201);
    const detection = await api.call('GET', `/api/monitor/detection-status/${id}`, token);
    expect(detection).toMatchObject({ status: 200, body: { monitored: true, session: null } });
    expect((await api.call('GET', '/api/monitor/health', token)).body).toMatchObject({ status: 'down', redis: 'down' });
    expect((await api.call('GET', '/api/monitors', token)).status).toBe(503);
    expect((await api.call('GET', '/api/health', null)).body).toMatchObject({ status: 'degraded', redis: 'down' });
    expect((await api.call('GET', '/api/health/ready', null)).status).toBe(503);
    expect((await api.call('POST', `/api/monitoring/stream/${id}/stop`, token)).status).toBe(202);
  });
});
