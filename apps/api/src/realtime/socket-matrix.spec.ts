import { randomUUID } from 'node:crypto';
import type { Socket } from 'socket.io-client';
import { NAMESPACES } from '#libs/contracts/names.js';
import { SERVER_EVENTS } from '#libs/contracts/sockets.js';
import { TestApi } from '../test-api.fixture.js';
import { MessagesGateway, NotificationsGateway, RootGateway } from './gateways.js';
import { SocketClients, happens, until } from './socket-clients.fixture.js';

const ACTORS = ['anonymous', 'agent', 'assigned', 'admin', 'disabled', 'expired'] as const;
type Actor = (typeof ACTORS)[number];

/** Who hears each event; a namespace and an event that the contract has and this table has not fails the spec. */
const MATRIX: Record<string, { hear: readonly Actor[]; drive: (scene: Scene) => Promise<unknown> | void }> = {
  '/ detection': { hear: ['assigned', 'admin'], drive: ({ api, streamId }) => api.detect(streamId) },
  '/ transcript': {
    hear: ['assigned', 'admin'],
    drive: ({ api, streamId }) => {
      const at = new Date().toISOString();
      api.events.emit('transcript.stored', {
        ...{ id: randomUUID(), seq: '1', streamId, text: 'hello', language: 'en', engine: 'whisper', model: 'tiny' },
        ...{ startedAt: at, endedAt: at },
      });
    },
  },
  '/ stream_status': { hear: ['assigned', 'admin'], drive: ({ api, streamId }) => api.onAir(streamId) },
  '/ stream_update': {
    hear: ['assigned', 'admin'],
    drive: ({ api, streamId, tokens }) => api.call('PATCH', `/api/streams/${streamId}`, tokens.admin, { priority: 3 }),
  },
  '/ assignment_update': {
    hear: ['assigned', 'admin'],
    drive: async ({ api, tokens, users }) => {
      const body = { name: randomUUID(), url: 'https://example.com/b' };
      const streamId = (await api.call('POST', '/api/streams', tokens.admin, body)).body['id'];
      await api.call('POST', '/api/assignments', tokens.admin, { streamId, agentId: users.assigned });
    },
  },
  '/ monitor_status': {
    hear: ['admin'],
    drive: ({ api }) => {
      api.events.emit('monitor.changed', { monitorId: 'm1', state: 'up', at: new Date().toISOString() });
    },
  },
  '/ canary': {
    hear: ['admin'],
    drive: ({ api }) => {
      const at = new Date().toISOString();
      const run = { runId: randomUUID(), monitorId: 'm1', part: 'video', outcome: 'found', reason: '' } as const;
      api.events.emit('canary.observed', { ...run, at });
    },
  },
  '/ user_status': {
    // The assigned agent shares a conversation with the one who comes.
    hear: ['assigned', 'admin'],
    drive: async ({ api, clients, tokens, users }) => {
      const id = await api.user(`comer-${randomUUID()}`, 'agent');
      const token = await api.token(id);
      await api.call('POST', `/api/messages/${users.assigned}`, token, { clientId: randomUUID(), body: 'I come.' });
      expect(tokens.admin).not.toBe(token);
      await clients.connect(api, token);
    },
  },
  '/notifications notification': { hear: ['assigned', 'admin'], drive: ({ api, streamId }) => api.detect(streamId) },
  '/notifications notification_update': {
    hear: ['assigned'],
    drive: async ({ api, streamId, tokens }) => {
      await api.detect(streamId);
      await api.call('PUT', '/api/notifications/read-all', tokens.assigned);
    },
  },
  '/notifications unread': { hear: ['assigned', 'admin'], drive: ({ api, streamId }) => api.detect(streamId) },
  '/messages message': { hear: ['agent', 'assigned'], drive: (scene) => write(scene) },
  '/messages typing': {
    hear: ['assigned'],
    drive: async (scene) => {
      await write(scene);
      scene.sockets.agent?.emit('typing', { userId: scene.users.assigned, typing: true });
    },
  },
  '/messages message_read': {
    hear: ['agent', 'assigned'],
    drive: async (scene) => {
      await write(scene);
      await scene.api.call('PUT', `/api/messages/${scene.users.agent}/read`, scene.tokens.assigned);
    },
  },
  '/messages unread': { hear: ['assigned'], drive: (scene) => write(scene) },
};

interface Scene {
  api: TestApi;
  clients: SocketClients;
  users: Record<Exclude<Actor, 'anonymous'>, string>;
  tokens: Record<Actor, string>;
  streamId: string;
  sockets: Partial<Record<Actor, Socket>>;
}

/** The agent writes to the assigned agent. */
async function write({ api, tokens, users }: Scene): Promise<void> {
  const message = { clientId: randomUUID(), body: 'Hello.' };
  expect((await api.call('POST', `/api/messages/${users.assigned}`, tokens.agent, message)).status).toBe(201);
}

describe('the matrix of socket events', () => {
  const clients = new SocketClients();
  let api: TestApi;
  let users: Scene['users'];

  beforeAll(async () => {
    api = await TestApi.start({}, 8);
    users = {
      agent: await api.user('agent', 'agent'),
      assigned: await api.user('assigned', 'agent'),
      admin: await api.user('second-admin', 'admin'),
      disabled: await api.user('disabled', 'admin'),
      expired: await api.user('expired', 'admin'),
    };
  }, 60_000);

  afterEach(() => {
    clients.closeAll();
  });

  afterAll(() => api.close());

  it('has a row for every event of the contract, and no other', () => {
    const events = Object.entries(SERVER_EVENTS).flatMap(([namespace, table]) =>
      Object.keys(table).map((event) => `${namespace} ${event}`),
    );
    expect(Object.keys(MATRIX).sort()).toEqual(events.sort());
  });

  it.each(Object.entries(MATRIX))('%s is heard by those the table says', async (key, { hear, drive }) => {
    const [namespace = '', event = ''] = key.split(' ');
    const disabledToken = await api.token(users.disabled);
    const tokens: Scene['tokens'] = {
      anonymous: '',
      agent: await api.token(users.agent),
      assigned: await api.token(users.assigned),
      admin: await api.token(users.admin),
      disabled: disabledToken,
      expired: await api.token(users.expired, -60),
    };
    await api.disable(users.disabled);
    const body = { name: randomUUID(), url: 'https://example.com/a' };
    const streamId = String((await api.call('POST', '/api/streams', tokens.admin, body)).body['id']);
    await api.call('POST', '/api/assignments', tokens.admin, { streamId, agentId: users.assigned });
    const heard = new Set<Actor>();
    const sockets: Scene['sockets'] = {};
    for (const actor of ACTORS) {
      const socket = await clients.connect(api, tokens[actor], namespace).catch(() => null);
      if (socket === null) continue;
      sockets[actor] = socket;
      socket.on(event, () => heard.add(actor));
    }
    expect(Object.keys(sockets)).toEqual(['agent', 'assigned', 'admin']);
    if (namespace === NAMESPACES.root)
      await until(() => api.socketsOf(streamId).includes(String(sockets.assigned?.id)));
    // What comes of the connecting itself is none of this.
    await until(async () => {
      heard.clear();
      await answered(sockets);
      return heard.size === 0;
    });
    await drive({ api, clients, users, tokens, streamId, sockets });
    await until(() => hear.every((actor) => heard.has(actor)));
    await answered(sockets);
    expect([...heard].sort()).toEqual([...hear].sort());
  });

  /** Waits until what was sent to these sockets before has arrived: a connection keeps its order. */
  async function answered(sockets: Scene['sockets']): Promise<void> {
    const mark = randomUUID();
    await Promise.all(
      Object.values(sockets).map((socket) =>
        happens<void>((done) => {
          socket.onAny((name: string) => {
            if (name === mark) done();
          });
          serverSide(String(socket.id))?.emit(mark);
        }),
      ),
    );
  }

  function serverSide(id: string): { emit(event: string): unknown } | undefined {
    const gateways = [RootGateway, NotificationsGateway, MessagesGateway];
    const namespaces = gateways.map(
      (gateway) => api.app.get<{ namespace: unknown }>(gateway, { strict: false }).namespace,
    );
    const sockets = namespaces.map((namespace) => (namespace as { sockets: Map<string, Socket> }).sockets);
    return sockets.find((all) => all.has(id))?.get(id);
  }
});
