import { io, type Socket } from 'socket.io-client';
import { until } from '#libs/testing/until.js';
import { TestApi } from '../test-api.fixture.js';

describe('assignments', () => {
  let api: TestApi;
  let admin: string;
  let agents: Record<'ann' | 'ben' | 'cem', string>;
  const sockets: Socket[] = [];

  beforeAll(async () => {
    api = await TestApi.start({}, 12);
    admin = await api.token(await api.user('chief', 'admin'));
    agents = {
      ann: await api.user('ann', 'agent'),
      ben: await api.user('ben', 'agent'),
      cem: await api.user('cem', 'agent'),
    };
  }, 60_000);

  afterAll(async () => {
    for (const socket of sockets) socket.disconnect();
    await api.close();
  });

  async function stream(name: string): Promise<string> {
    const made = await api.call('POST', '/api/streams', admin, { name, url: 'https://example.com/a.m3u8' });
    return String(made.body['id']);
  }

  const assign = (streamId: string, fields: object = {}): ReturnType<TestApi['call']> =>
    api.call('POST', '/api/assignments', admin, { streamId, ...fields });

  it('chooses who is online first, then who has least to do, within capacity', async () => {
    const socket = io(api.url, { auth: { token: await api.token(agents.ben) }, transports: ['websocket'] });
    sockets.push(socket);
    await new Promise<void>((resolve) => socket.once('connect', resolve));
    await until(async () => {
      const { body } = await api.call('GET', '/api/online-users', admin);
      return JSON.stringify(body).includes(agents.ben);
    });
    await api.call('PATCH', `/api/agents/${agents.ben}`, admin, { capacity: 2 });
    const chosen: unknown[] = [];
    for (const name of ['one', 'two', 'three', 'four']) {
      const { status, body } = await assign(await stream(name), { priority: 2, notes: 'the left gate' });
      expect([status, body['automatic'], body['priority'], body['notes']]).toEqual([201, true, 2, 'the left gate']);
      chosen.push(body['agentUsername']);
    }
    expect(chosen.slice(0, 2)).toEqual(['ben', 'ben']);
    expect(chosen.slice(2).sort()).toEqual(['ann', 'cem']);
  });

  it('says so when nobody has room', async () => {
    for (const id of Object.values(agents)) await api.call('PATCH', `/api/agents/${id}`, admin, { capacity: 0 });
    const answer = await assign(await stream('five'));
    expect([answer.status, answer.body['code']]).toEqual([409, 'assignment.capacity.conflict']);
    const named = await assign(await stream('six'), { agentId: agents.ann });
    expect(named.status).toBe(201);
  });

  it('replaces who looks after a stream as a whole, tells of each change, and leaves what is the same', async () => {
    const streamId = await stream('seven');
    await assign(streamId, { agentId: agents.ann, notes: 'old' });
    await assign(streamId, { agentId: agents.ben });
    const told: string[] = [];
    const off = api.events.on('assignment.changed', ({ agentId, change }) => told.push(`${change} ${agentId}`));
    const put = (body: object): ReturnType<TestApi['call']> =>
      api.call('PUT', `/api/streams/${streamId}/assignments`, admin, body);
    const replaced = await put({ assignments: [{ agentId: agents.ben, notes: 'new' }, { agentId: agents.cem }] });
    off();
    expect(told).toEqual([`unassigned ${agents.ann}`, `assigned ${agents.cem}`]);
    const items = replaced.body['items'] as { agentUsername: string; notes: string }[];
    expect(new Map(items.map(({ agentUsername, notes }) => [agentUsername, notes]))).toEqual(
      new Map([
        ['ben', 'new'],
        ['cem', ''],
      ]),
    );
    expect((await put({ assignments: [{ agentId: agents.ann }, { agentId: agents.ann }] })).status).toBe(400);
    expect((await put({ assignments: [{ agentId: streamId }] })).status).toBe(404);
    const still = await api.call('GET', `/api/assignments?streamId=${streamId}`, admin);
    expect((still.body['items'] as unknown[]).length).toBe(2);
  });
});
