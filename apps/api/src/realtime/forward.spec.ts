import { randomUUID } from 'node:crypto';
import { NAMESPACES } from '#libs/contracts/names.js';
import { TestApi } from '../test-api.fixture.js';
import { SocketClients, happens } from './socket-clients.fixture.js';

describe('forwarding of events', () => {
  const clients = new SocketClients();
  let api: TestApi;
  let users: Record<'admin' | 'agent', string>;
  let serviceToken: string;
  let streamId: string;

  beforeAll(async () => {
    api = await TestApi.start({}, 10);
    users = { admin: await api.user('chief', 'admin'), agent: await api.user('agent', 'agent') };
    const admin = await api.token(users.admin);
    const scopes = ['sockets:forward'];
    serviceToken = String(
      (await api.call('POST', '/api/service-tokens', admin, { name: 'bridge', scopes })).body['token'],
    );
    const stream = { name: 'main', url: 'https://example.com/a' };
    streamId = String((await api.call('POST', '/api/streams', admin, stream)).body['id']);
  }, 60_000);

  afterAll(async () => {
    clients.closeAll();
    await api.close();
  });

  const forward = (body: object, token = serviceToken) => api.call('POST', '/api/forward-socketio', token, body);
  const update = () => ({ streamId, change: 'updated' });

  it('reaches the room that was named, with the payload of the contract and no more', async () => {
    const socket = await clients.connect(api, await api.token(users.agent), NAMESPACES.root);
    const heard = happens((done) => socket.once('stream_update', done));
    const body = {
      namespace: '/',
      event: 'stream_update',
      room: `user:${users.agent}`,
      payload: { ...update(), more: 1 },
    };
    expect(await forward(body)).toMatchObject({ status: 202, body: { event: 'stream_update' } });
    expect(await heard).toEqual(update());
  });

  it.each([
    ['an event of another namespace', { namespace: '/messages', event: 'stream_update' }, 'event', 'message, typing'],
    ['an event that only clients send', { event: 'join' }, 'event', 'detection, transcript'],
    ['an event named like what every object has', { event: 'constructor' }, 'event', 'detection'],
    ['a namespace that is none', { namespace: '/admin' }, 'namespace', '/notifications'],
    ['a payload that does not fit', { payload: { streamId: 'x', change: 'updated' } }, 'payload.streamId', ''],
    ['a room of no kind', { room: 'everybody' }, 'room', 'role:admin'],
    ['a role that is none', { room: 'role:root' }, 'room', 'role:agent'],
    ['a user that is not there', { room: `user:${randomUUID()}` }, 'room', 'of one that exists'],
    ['a stream that is not there', { room: `stream:${randomUUID()}` }, 'room', 'of one that exists'],
    ['the room of one socket', { room: 'a-socket-id' }, 'room', 'user:<id>'],
  ])('refuses %s and says what is allowed', async (_what, change, path, allowed) => {
    const answer = await forward({
      namespace: '/',
      event: 'stream_update',
      room: 'role:admin',
      payload: update(),
      ...change,
    });
    expect(answer.status).toBe(400);
    const errors = answer.body['errors'] as { path: string; message: string }[];
    expect(errors.map((error) => error.path)).toContain(path);
    expect(errors.find((error) => error.path === path)?.message).toContain(allowed);
  });

  it('is for service tokens of this scope alone', async () => {
    const body = { namespace: '/', event: 'stream_update', room: `stream:${streamId}`, payload: update() };
    expect((await forward(body)).status).toBe(202);
    const admin = await api.token(users.admin);
    expect((await forward(body, admin)).status).toBe(401);
    const other = await api.call('POST', '/api/service-tokens', admin, { name: 'chat', scopes: ['chat:push'] });
    expect((await forward(body, String(other.body['token']))).status).toBe(403);
  });
});
