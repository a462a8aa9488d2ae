import { randomUUID } from 'node:crypto';
import { io, type Socket } from 'socket.io-client';
import { NAMESPACES } from '#libs/contracts/names.js';
import type { DetectionView } from '#libs/contracts/sockets.js';
import { until } from '#libs/testing/until.js';
import { TestApi } from '../test-api.fixture.js';

/** Longer than any test waits for something that comes. */
const PATIENCE_MS = 8_000;

describe('the sockets', () => {
  let api: TestApi;
  let other: TestApi;
  let users: Record<'admin' | 'assigned' | 'bystander', string>;
  let streamId: string;
  let adminToken: string;
  const open = new Set<Socket>();

  beforeAll(async () => {
    api = await TestApi.start({}, 11);
    other = await api.beside();
    users = {
      admin: await api.user('chief', 'admin'),
      assigned: await api.user('assigned', 'agent'),
      bystander: await api.user('bystander', 'agent'),
    };
    adminToken = await api.token(users.admin);
    const stream = await api.call('POST', '/api/streams', adminToken, { name: 'main', url: 'https://example.com/a' });
    streamId = String(stream.body['id']);
    await assign(users.assigned);
  }, 60_000);

  afterEach(() => {
    for (const socket of open) socket.disconnect();
    open.clear();
  });

  afterAll(async () => {
    await other.close();
    await api.close();
  });

  async function assign(agentId: string): Promise<string> {
    const { body } = await api.call('POST', '/api/assignments', adminToken, { streamId, agentId });
    return String(body['id']);
  }

  function dial(token: unknown, namespace: string, at = api): Socket {
    const socket = io(at.url + namespace, { auth: { token }, transports: ['websocket'], reconnection: false });
    open.add(socket);
    return socket;
  }

  async function connect(token: string, namespace: string = NAMESPACES.root, at = api): Promise<Socket> {
    const socket = dial(token, namespace, at);
    await happens<void>((done) => {
      socket.once('connect', () => {
        done();
      });
    });
    return socket;
  }

  function happens<T>(listen: (done: (value: T) => void) => void): Promise<T> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new Error('did not happen in time'));
      }, PATIENCE_MS);
      listen((value) => {
        clearTimeout(timer);
        resolve(value);
      });
    });
  }

  const refusal = (token: unknown, namespace: string): Promise<string> =>
    happens((done) => {
      const socket = dial(token, namespace);
      socket.once('connect', () => {
        done('let in');
      });
      socket.once('connect_error', (error: Error & { data?: { code?: string } }) => {
        done(error.data?.code ?? error.message);
      });
    });

  const disconnected = (socket: Socket): Promise<string> => happens((done) => socket.once('disconnect', done));

  it.each(Object.values(NAMESPACES))('let nobody into %s without a valid token', async (namespace) => {
    const disabled = await api.user(`disabled-${randomUUID()}`, 'agent');
    const tokenOfDisabled = await api.token(disabled);
    await api.disable(disabled);
    const tokens: Record<string, unknown> = {
      none: undefined,
      'no text': 7,
      rubbish: 'rubbish',
      huge: 'x'.repeat(20_000),
      expired: await api.token(users.assigned, -1),
      'of a disabled user': tokenOfDisabled,
    };
    for (const token of Object.values(tokens)) expect(await refusal(token, namespace)).toBe('auth.unauthorized');
    expect(await refusal(await api.token(users.assigned), namespace)).toBe('let in');
  });

  it('bring a detection once to admins and to the assigned agent on any process, and to nobody else', async () => {
    const sockets = {
      admin: await connect(adminToken),
      adminElsewhere: await connect(adminToken, NAMESPACES.root, other),
      assigned: await connect(await api.token(users.assigned)),
      assignedElsewhere: await connect(await api.token(users.assigned), NAMESPACES.root, other),
      bystander: await connect(await api.token(users.bystander)),
    };
    await Promise.all([roomed(sockets.assigned), roomed(sockets.assignedElsewhere)]);
    const received: Record<string, string[]> = {};
    for (const [name, socket] of Object.entries(sockets)) {
      received[name] = [];
      socket.on('detection', (detection: DetectionView) => received[name]?.push(detection.id));
    }
    const { id } = await api.detect(streamId);
    await marked(Object.values(sockets));
    expect(received).toEqual({
      admin: [id],
      adminElsewhere: [id],
      assigned: [id],
      assignedElsewhere: [id],
      bystander: [],
    });
  });

  it('bring a notification and the unread number to each recipient alone', async () => {
    const assigned = await connect(await api.token(users.assigned), NAMESPACES.notifications);
    const bystander = await connect(await api.token(users.bystander), NAMESPACES.notifications);
    const wrong: unknown[] = [];
    bystander.onAny((...event: unknown[]) => wrong.push(event));
    const notified = happens<{ detectionId: string }>((done) => assigned.once('notification', done));
    const counted = happens<{ notifications: number }>((done) => assigned.once('unread', done));
    const { id } = await api.detect(streamId);
    expect((await notified).detectionId).toBe(id);
    expect((await counted).notifications).toBeGreaterThan(0);
    const updated = happens<{ ids: null }>((done) => assigned.once('notification_update', done));
    await api.call('PUT', '/api/notifications/read-all', await api.token(users.assigned));
    expect((await updated).ids).toBeNull();
    expect(wrong).toEqual([]);
  });

  it('follow assignments at once, on every process', async () => {
    const socket = await connect(await api.token(users.bystander), NAMESPACES.root, other);
    const seen: string[] = [];
    socket.on('detection', (detection: DetectionView) => seen.push(detection.id));
    const assignmentId = await assign(users.bystander);
    await roomed(socket);
    const heard = happens((done) => socket.once('detection', done));
    const { id } = await api.detect(streamId);
    await heard;
    const told = happens<{ change: string }>((done) => socket.once('assignment_update', done));
    await api.call('DELETE', `/api/assignments/${assignmentId}`, adminToken);
    expect(await told).toMatchObject({ change: 'unassigned' });
    await unroomed(socket);
    await api.detect(streamId);
    await marked([socket]);
    expect(seen).toEqual([id]);
  });

  it('part with a user who signs out or is disabled, on every process, and leave other sign-ins alone', async () => {
    const leaving = await api.token(users.assigned);
    const staying = await connect(await api.token(users.assigned));
    const here = await connect(leaving);
    const there = await connect(leaving, NAMESPACES.notifications, other);
    const gone = Promise.all([disconnected(here), disconnected(there)]);
    expect((await api.call('POST', '/api/auth/logout', leaving)).status).toBe(204);
    await gone;
    expect(staying.connected).toBe(true);
    const id = await api.user('soon-disabled', 'agent');
    const socket = await connect(await api.token(id), NAMESPACES.root, other);
    const ended = disconnected(socket);
    await api.call('PATCH', `/api/agents/${id}`, adminToken, { disabled: true });
    await ended;
  });

  it('part with a client when its token expires', async () => {
    const socket = await connect(await api.token(users.assigned, 2));
    await disconnected(socket);
  });

  it('part with a client that floods, or sends more than it may', async () => {
    const flooding = await connect(await api.token(users.assigned));
    const ended = disconnected(flooding);
    for (let packet = 0; packet < 40; packet += 1) flooding.emit('join', 'role:admin');
    await ended;
    const bulky = await connect(await api.token(users.assigned));
    const over = disconnected(bulky);
    bulky.emit('x', 'x'.repeat(100_000));
    await over;
  });

  /** Waits until what was sent before has arrived: events to one client keep their order. */
  async function marked(sockets: readonly Socket[]): Promise<void> {
    const markers = sockets.map((socket) => happens((done) => socket.once('assignment_update', done)));
    // Told to every admin, and to the agent it is about; the agents hear their own.
    for (const agentId of [users.assigned, users.bystander]) {
      api.events.emit('assignment.changed', { agentId, streamId: randomUUID(), change: 'unassigned' });
    }
    await Promise.all(markers);
  }

  const inRoom = (socket: Socket): boolean =>
    [api, other].some((at) => at.socketsOf(streamId).includes(String(socket.id)));

  const roomed = (socket: Socket): Promise<void> => until(() => inRoom(socket));
  const unroomed = (socket: Socket): Promise<void> => until(() => !inRoom(socket));
});
